"""Builds the two products: a compressed initramfs, and a kernel with an embedded initramfs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gprov.apps.host.initramfs.applets import add_applets
from gprov.apps.host.initramfs.cache import Cache, content_key
from gprov.apps.host.initramfs.closure import module_search_path
from gprov.apps.host.initramfs.copies import check_interpreters
from gprov.apps.host.initramfs.cpio import Node, archive, regular
from gprov.apps.host.initramfs.firmware import FirmwareFile
from gprov.apps.host.initramfs.grub import loader_files
from gprov.apps.host.initramfs.hostfiles import read_file, read_text, write_file
from gprov.apps.host.initramfs.initramfs import assemble
from gprov.apps.host.initramfs.kernel import KernelBuilder, KernelFiles, KernelInputs, version_text
from gprov.apps.host.initramfs.kernel_settings import KernelChoice, check_budget, configuration
from gprov.apps.host.initramfs.own_names import OwnNames
from gprov.apps.host.initramfs.parts import BOOT_LOADER, CONFIGURATION, FIRMWARE, PartSize
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.rootfs import RootTree, inside
from gprov.apps.host.initramfs.signing import KernelSigner, signed_program
from gprov.apps.host.initramfs.sources import HOST, SourceSystem
from gprov.apps.host.initramfs.spec import Flavor, FreezeSpec, parse_spec
from gprov.apps.host.initramfs.system_tree import write_system_tree
from gprov.apps.host.initramfs.toolchain import require_kernel_tools
from gprov.apps.host.initramfs.usbnames import add_usb_names
from gprov.domain.branding import Branding
from gprov.domain.errors import ToolMissing
from gprov.domain.trust.built_in import BuiltInTrust
from gprov.domain.unit.trust import BUILT_IN, OwnCa
from gprov.ports.process import Processes

# One thread, so that the output does not depend on the number of cores.
_COMPRESSOR = ("zstd", "--single-thread", "--quiet", "--stdout")
BEST_LEVEL = 19  # higher levels need more memory for unpacking than a small unit has
_ARCHIVES_KEPT = 20
_NO_TRUST = BuiltInTrust()
_USUAL_NAMES = OwnNames()
_NOT_RECORDED: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Initramfs:
    """``content``: the compressed archive. ``sizes``: of its parts before compression, largest first. ``nodes``: what
    is in it."""

    content: bytes = field(repr=False)
    raw_size: int
    sizes: tuple[PartSize, ...]
    nodes: tuple[Node, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Kernel:
    """``size``: bytes without the initramfs. ``replaced``: what fragments changed of the base, one line each."""

    files: KernelFiles
    size: int
    replaced: tuple[str, ...]

    @property
    def release(self) -> str:
        """As uname -r shows it."""
        return version_text(read_file(self.files.image)).partition(" ")[0]


class Builder:
    """Use cases of ``gprov build``."""

    def __init__(self, processes: Processes, cache: Cache, progress: BuildProgress) -> None:
        self._processes = processes
        self._cache = cache
        self._progress = progress

    def initramfs(
        self,
        specification: str,
        flavor: Flavor,
        *,
        path: Sequence[str] | None = None,
        level: int = BEST_LEVEL,
        ca: OwnCa | None = None,
        trust: BuiltInTrust = _NO_TRUST,
        firmware: Sequence[FirmwareFile] = (),
        own: OwnNames = _USUAL_NAMES,
    ) -> Initramfs:
        """Build an initramfs. ``specification``: path of the freeze specification; ``path``: search path for Python
        modules (default: that of this process); ``level``: of zstd, 1 to 19; ``ca``: the only CA that the unit trusts
        (``gprov.domain.unit.trust``); ``trust``: keys of the images that it accepts; ``firmware``: files for drivers;
        ``own``: names and platforms of the adopter's units. Raises BadInput.
        """
        trust_files = trust.files()
        spec = parse_spec(read_text(specification), flavor, specification)
        with self._progress.phase(f"initramfs ({flavor}): collect"):
            folder = os.path.dirname(specification)
            modules = module_search_path() if path is None else path
            with own.started(spec, specification, modules) as (started, search_path):
                tree = collect(started, folder, search_path, self._processes, branding=own.branding)
            for node in own.nodes():
                tree.add(node, CONFIGURATION)
            if ca is not None:
                add_ca(tree, ca)
            for path_there, content in trust_files.items():
                tree.add(regular(inside(path_there), content), CONFIGURATION)
            for file in firmware:
                tree.add(regular(file.target, read_file(file.source)), FIRMWARE)
            nodes = tree.finish()
            raw = archive(nodes)
        return Initramfs(self._compressed(raw, level), len(raw), tree.sizes(), nodes)

    def check(self, choice: KernelChoice) -> None:
        """Raise what a kernel build would: fragments that contradict each other, missing tools."""
        configuration(choice)
        require_kernel_tools(self._processes, modules=choice.settings.modules)

    def kernel(
        self,
        choice: KernelChoice,
        initramfs: Initramfs,
        number: int,
        jobs: int,
        *,
        toolchain: Mapping[str, str] = _NOT_RECORDED,
    ) -> Kernel:
        """Build a kernel. ``toolchain``: of ``KernelInputs``. Raises RefusedByPolicy if it is larger than its
        budget."""
        settings, combined = choice.settings, configuration(choice)
        require_kernel_tools(self._processes, modules=settings.modules)
        inputs = KernelInputs(
            settings=combined.settings,
            initramfs=initramfs.content,
            number=number,
            modules=settings.modules,
            toolchain=toolchain,
        )
        files = KernelBuilder(self._processes, self._cache, self._progress, jobs).build(inputs)
        size = os.path.getsize(files.image) - len(initramfs.content)
        check_budget(size, settings.largest)
        return Kernel(files, size, combined.replaced)

    def signed(self, kernel: Kernel, signer: KernelSigner) -> Kernel:
        """Sign a kernel for Secure Boot. Raises what ``signed_program`` raises."""
        image = signed_program(self._processes, self._cache, self._progress, kernel.files.image, signer)
        return replace(kernel, files=replace(kernel.files, image=image))

    def system_tree(self, kernel: Kernel, firmware: Sequence[FirmwareFile], target: str) -> None:
        """Write the archive of modules and firmware for the root of an image."""
        write_system_tree(self._processes, self._cache, kernel.files.modules, firmware, target)

    def _compressed(self, raw: bytes, level: int) -> bytes:
        if self._processes.which(_COMPRESSOR[0]) is None:
            raise ToolMissing(_COMPRESSOR[0], "apt-get install zstd")
        version = self._processes.run((_COMPRESSOR[0], "--version")).output
        command = (*_COMPRESSOR, f"-{level}")
        key = content_key(*command, version, raw)
        with self._cache.lock("initramfs", self._waiting):
            found = self._cache.find("initramfs", key)
            if found is None:
                with self._progress.phase("initramfs: compress"):
                    content = self._processes.run(command, stdin=raw, timeout=900).output
                    found = self._cache.publish("initramfs", key, lambda path: write_file(path, content))
                self._cache.keep_newest("initramfs", _ARCHIVES_KEPT)
            return read_file(found)

    def _waiting(self) -> None:
        self._progress.note("waiting for another build to finish")


def collect(
    spec: FreezeSpec,
    spec_folder: str,
    path: Sequence[str],
    processes: Processes,
    system: SourceSystem = HOST,
    branding: Branding | None = None,
) -> RootTree:
    """Return all that an initramfs holds, but for CA and keys. ``branding``: names in the boot loader's script, None
    for the defaults; the other arguments as for ``assemble``."""
    tree = assemble(spec, spec_folder, path, system)
    if spec.usb_names:
        add_usb_names(tree, processes, spec.usb_names, system)
    for program in spec.applets:
        add_applets(tree, processes, program, system)
    check_interpreters(tree)
    if spec.loader:
        for target, content in loader_files(processes, spec.loader, branding or Branding(), system.grub).items():
            tree.add(regular(inside(target), content), BOOT_LOADER)
    return tree


def add_ca(tree: RootTree, ca: OwnCa) -> None:
    """Where units look for it."""
    tree.add(regular(inside(BUILT_IN), ca.pem.encode()), CONFIGURATION)
