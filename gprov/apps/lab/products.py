"""What a unit is made from: both kernels and an image, each built only if its inputs changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass

from gprov.apps.build.builds import Builds
from gprov.apps.build.cache import Cache, content_key
from gprov.apps.build.closure import search_path
from gprov.apps.build.hostfiles import copy_file, translated
from gprov.apps.build.progress import Progress
from gprov.apps.build.spec import Flavor
from gprov.apps.lab.rootfs import RootBuilder, read_recipe
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, Problem, ToolMissing
from gprov.ports.process import Processes

_BUILDROOT = os.path.join(search_path()[0], "buildroot")
_KIND = "images"
_KEPT = 4
_SECONDS = 1800.0
# Numeric owners, all extended attributes and ACLs, and the same bytes for the same tree.
_TAR = (
    *("tar", "--create", "--format=posix", "--sort=name", "--numeric-owner"),
    *("--xattrs", "--xattrs-include=*", "--acls"),
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
)
# Fast, since lab images live for minutes; in blocks, as production images are.
_XZ = ("xz", "-1", "--check=sha256", "--block-size=8MiB", "--threads=0")


@dataclass(frozen=True, slots=True)
class Products:
    """Paths. ``image_name``: what the image is called where units see it."""

    normal_kernel: str
    provision_kernel: str
    image: str
    image_name: str = f"{Branding().image_prefix}2024-01-15.0001.upd"

    def published(self) -> Mapping[str, str]:
        """What the factory offers to units: path by name."""
        return {self.image_name: self.image, Branding().boot_kernel: self.normal_kernel}

    def digests(self) -> Mapping[str, str]:
        """SHA-256 of each, for a report."""
        files = {"normal_kernel": self.normal_kernel, "provision_kernel": self.provision_kernel, "image": self.image}
        return {name: file_digest(path) for name, path in files.items()}


class ProductBuilder:
    """``environment``: BUILD_NUMBER, and proxies for the package manager."""

    def __init__(
        self, processes: Processes, cache: Cache, progress: Progress, environment: Mapping[str, str], jobs: int
    ) -> None:
        self._processes = processes
        self._cache = cache
        self._progress = progress
        self._builds = Builds(processes, cache, progress)
        self._roots = RootBuilder(processes, cache, progress, environment)
        self._number = _build_number(environment)
        self._jobs = jobs

    def build(self) -> Products:
        normal = self.kernel(Flavor.NORMAL)
        return Products(normal, self.kernel(Flavor.MFG), self.image(normal))

    def kernel(self, flavor: Flavor) -> str:
        """Path of the kernel in the cache."""
        initramfs = self._builds.initramfs(os.path.join(_BUILDROOT, "initramfs.toml"), flavor)
        fragment = os.path.join(_BUILDROOT, "kernel/x86_64.config")
        return self._builds.kernel(fragment, initramfs, self._number, self._jobs)

    def image(self, kernel: str) -> str:
        """Path, in the cache, of an image with the lab's Debian root and this kernel."""
        for program in (_TAR[0], _XZ[0]):
            if self._processes.which(program) is None:
                raise ToolMissing(program)
        root = self._roots.build(read_recipe(os.path.join(_BUILDROOT, "rootfs/rootfs.toml")))
        key = content_key(
            os.path.relpath(root, os.path.dirname(os.path.dirname(root))), file_digest(kernel), *_TAR, *_XZ
        )
        with self._cache.lock(_KIND, lambda: self._progress.note("image: waiting for another build to finish")):
            found = self._cache.find(_KIND, key)
            if found is None:
                with self._progress.phase("image: pack"):
                    found = self._cache.publish(_KIND, key, lambda path: self._pack(root, kernel, path))
                self._cache.keep_newest(_KIND, _KEPT)
            return found

    def _pack(self, root: str, kernel: str, target: str) -> None:
        added = self._cache.path("work", "image-kernel")
        self._cache.remove(added)
        path = os.path.join(added, "boot", Branding().boot_kernel)
        copy_file(kernel, path)
        with translated(path):
            os.utime(path, (0, 0))
        archive = f"{target}.tar"
        member = os.path.relpath(path, added)
        self._processes.run(
            (*_TAR, "--file", archive, "--directory", root, ".", "--directory", added, f"./{member}"),
            timeout=_SECONDS,
        )
        self._processes.run((*_XZ, archive), timeout=_SECONDS)
        with translated(target):
            os.rename(f"{archive}.xz", target)
        self._cache.remove(added)


def file_digest(path: str) -> str:
    with translated(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _build_number(environment: Mapping[str, str]) -> int:
    text = environment.get("BUILD_NUMBER") or "1"
    if not (text.isascii() and text.isdecimal()):
        raise BadInput("BUILD_NUMBER", [Problem("", f"must be a decimal number, is {text!r}")])
    return int(text)
