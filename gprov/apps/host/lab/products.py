"""Builds the files that a unit is provisioned from: both kernels and an image, each only if its inputs changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from gprov.apps.host.image.create import ImageMaker, ImageRequest, RootFolder
from gprov.apps.host.initramfs.build_number import DEFAULT, given_build_number
from gprov.apps.host.initramfs.builds import Builder
from gprov.apps.host.initramfs.cache import Cache, content_key
from gprov.apps.host.initramfs.firmware import INSTALLED
from gprov.apps.host.initramfs.hostfiles import copy_file, os_errors_translated
from gprov.apps.host.initramfs.kernel_settings import chosen_firmware, shipped_choice
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.shipped import shipped_folder
from gprov.apps.host.initramfs.signing import FRAGMENT, KernelSigner
from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.host.lab.rootfs import RootBuilder, entry_of, read_recipe
from gprov.domain.branding import Branding
from gprov.domain.image.imgmeta import ImageMeta
from gprov.domain.image.name import ImageName
from gprov.domain.trust.built_in import BuiltInTrust
from gprov.ports.process import Processes

_BUILDROOT = shipped_folder()
_KIND = "images"
_KEPT = 4
_SECONDS = 600.0
# Fast: lab images are used for a short time.
_PRESET = 1
_NO_TRUST = BuiltInTrust()
FIRST_IMAGE = ImageName(date(2024, 1, 15), 1, "0001", Branding().image_prefix)


@dataclass(frozen=True, slots=True)
class Products:
    """Paths of both kernels and the image. The image has its published name. ``certificate``: path of the PEM file
    with which the firmware verifies the kernels under Secure Boot, "" if they are not signed."""

    normal_kernel: str
    provision_kernel: str
    image: str
    certificate: str = ""

    @property
    def image_name(self) -> str:
        return os.path.basename(self.image)

    def netbooted(self) -> dict[str, str]:
        """Return further published files for network boot: path by name."""
        return {Branding().provision_kernel: self.provision_kernel}

    def published(self) -> dict[str, str]:
        """Return the published files: path by name."""
        return {self.image_name: self.image, Branding().boot_kernel: self.normal_kernel}

    def digests(self) -> Mapping[str, str]:
        """Return the SHA-256 of each file, for a report."""
        files = {"normal_kernel": self.normal_kernel, "provision_kernel": self.provision_kernel, "image": self.image}
        return {name: file_digest(path) for name, path in files.items()}


@dataclass(frozen=True, slots=True)
class KernelKeys:
    """``signer``: signs the kernels for the firmware; None: they are not signed. ``trust``: what they accept."""

    signer: KernelSigner | None = None
    trust: BuiltInTrust = _NO_TRUST


_NO_KEYS = KernelKeys()


class ProductBuilder:
    """``environment``: BUILD_NUMBER, and proxy settings for the package manager."""

    def __init__(
        self,
        processes: Processes,
        cache: Cache,
        progress: BuildProgress,
        images: ImageMaker,
        environment: Mapping[str, str],
        jobs: int,
        keys: KernelKeys = _NO_KEYS,
    ) -> None:
        self._processes = processes
        self._cache = cache
        self._progress = progress
        self._images = images
        self._builds = Builder(processes, cache, progress)
        self._roots = RootBuilder(processes, cache, progress, environment)
        number = given_build_number(environment)
        self._number = DEFAULT if number is None else number
        self._jobs = jobs
        self._signer = keys.signer
        self._trust = keys.trust

    def build(self, suite: str = "") -> Products:
        """``suite``: of the Debian root, "" for the usual one."""
        normal = self.kernel(Flavor.NORMAL)
        return Products(normal, self.kernel(Flavor.MFG), self.image(normal, suite=suite), self.certificate)

    @property
    def certificate(self) -> str:
        """For ``Products``."""
        return "" if self._signer is None else self._signer.certificate

    def kernel(self, flavor: Flavor) -> str:
        """Build a kernel; return its path in the cache."""
        # QEMU starts the provisioning kernel past the firmware's verification (docs/how-to/secure-boot.md), by an
        # entry at which a kernel with this fragment hangs.
        fragments = (FRAGMENT,) if self._signer is not None and flavor is Flavor.NORMAL else ()
        choice = shipped_choice(os.path.join(_BUILDROOT, "kernel"), fragments)
        firmware = chosen_firmware(choice.settings, choice.folder, INSTALLED)
        freeze = os.path.join(_BUILDROOT, "initramfs.toml")
        initramfs = self._builds.initramfs(freeze, flavor, firmware=firmware, trust=self._trust)
        built = self._builds.kernel(choice, initramfs, self._number, self._jobs)
        return (built if self._signer is None else self._builds.signed(built, self._signer)).files.image

    def image(self, kernel: str, name: ImageName = FIRST_IMAGE, suite: str = "") -> str:
        """Make an image with the lab's Debian root and a kernel; return its path in the cache. ``suite``: of the root,
        "" for the usual one."""
        root = self._roots.build(read_recipe(os.path.join(_BUILDROOT, "rootfs/rootfs.toml"), suite))
        key = content_key(entry_of(root), file_digest(kernel), name.filename, str(_PRESET))
        with self._cache.lock(_KIND, lambda: self._progress.note("image: waiting for another build to finish")):
            found = self._cache.find(_KIND, key)
            if found is None:
                with self._progress.phase(f"image {name.stem}: make"):
                    found = self._cache.publish(_KIND, key, lambda path: self._make(root, kernel, name, path))
                self._cache.keep_newest(_KIND, _KEPT)
            return os.path.join(found, name.filename)

    def _make(self, root: str, kernel: str, name: ImageName, target: str) -> None:
        staging = self._cache.path("work", "image-root")
        self._cache.remove(staging)
        # Hard links: files of the tree are only read.
        self._processes.run(("cp", "--archive", "--link", root, staging), timeout=_SECONDS)
        path = os.path.join(staging, "boot", Branding().boot_kernel)
        copy_file(kernel, path)
        with os_errors_translated(target):
            os.makedirs(target)
        request = ImageRequest(source=RootFolder(staging), name=name, output=target, meta=ImageMeta(), preset=_PRESET)
        self._images.create(request, lambda line: self._progress.note(f"image: {line}"))
        self._cache.remove(staging)


def file_digest(path: str) -> str:
    with os_errors_translated(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
