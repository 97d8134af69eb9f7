"""Compiles the kernel, and links it again with another initramfs or build number.

An interrupted build leaves incomplete files, so a build never runs in a cache entry: it runs in one folder below
``work``, and its finished object tree is copied into the cache. The folder is always the same, since kbuild stores
absolute paths and would compile all objects again elsewhere.

A build starts from the tree with the same configuration (only linking is left), else from the newest tree of the same
source and compilers (kbuild compiles the objects that depend on changed symbols), else from an empty tree. A build that
is recorded never starts from a tree of another configuration, or one of other versions of any tool.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from gprov.apps.host.initramfs.cache import Cache, content_key
from gprov.apps.host.initramfs.hostfiles import copy_file, fresh_folder, read_file, write_file
from gprov.apps.host.initramfs.kconfig import Setting
from gprov.apps.host.initramfs.kernel_source import configure, unpacked_source
from gprov.apps.host.initramfs.modules import install_modules
from gprov.apps.host.initramfs.progress import BuildProgress, ObjectCount
from gprov.apps.host.initramfs.toolchain import compiler_versions, source_version
from gprov.domain.errors import DeadlineExceeded, IntegrityFault, ToolFailed
from gprov.ports.process import Processes, Running

# Increment if this module builds other files from the same inputs. Part of the cache key.
_BUILD_VERSION = "1"
_IMAGE = "arch/x86/boot/bzImage"
_INITRAMFS = "initramfs.cpio.zst"  # CONFIG_INITRAMFS_SOURCE
_MAX_BUILD_SECONDS = 3 * 3600.0  # longer builds count as hanging
_TREES_KEPT = 4  # a quarter of a GB each
_KERNELS_KEPT = 40
_MODULES_KEPT = 6
# Files that depend on initramfs or build number. Removed from cached trees: this halves their size, and no outdated
# file can be used after a change of the clock.
_LINKED = (
    "vmlinux", "vmlinux.o", "vmlinux.a", ".tmp_vmlinux.kallsyms1", ".tmp_vmlinux.kallsyms2", _INITRAMFS,
    "init/version.o", "init/built-in.a", "include/generated/utsversion.h",
    "usr/initramfs_inc_data", "usr/initramfs_data.o", "usr/built-in.a",
    "arch/x86/boot/bzImage", "arch/x86/boot/vmlinux.bin", "arch/x86/boot/version.o",
    "arch/x86/boot/compressed/vmlinux", "arch/x86/boot/compressed/vmlinux.bin",
    "arch/x86/boot/compressed/vmlinux.bin.zst", "arch/x86/boot/compressed/piggy.o",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelInputs:
    """``settings``: the configuration by symbol; ``initramfs``: compressed archive; ``number``: build number;
    ``modules``: whether modules are built and installed, too. ``toolchain``: versions of the packages that compile, by
    name, of a build that is recorded; empty for others, which depend on source, compiler and linker alone."""

    settings: Mapping[str, Setting]
    initramfs: bytes
    number: int
    modules: bool = False
    toolchain: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KernelFiles:
    """Paths in the cache. ``image``: the bzImage; ``modules``: the folder of modules of this kernel, or None if it has
    none (``gprov.apps.host.initramfs.modules``)."""

    image: str
    modules: str | None


class KernelBuilder:
    """Builds kernels. The caller holds the cache's lock."""

    def __init__(self, processes: Processes, cache: Cache, progress: BuildProgress, jobs: int) -> None:
        self._processes = processes
        self._cache = cache
        self._progress = progress
        self._jobs = jobs

    def build(self, inputs: KernelInputs) -> KernelFiles:
        """Return the files in the cache; build them if they are not cached.

        Raises BadInput for settings that Kconfig does not apply, ToolFailed with the path of the full log if the
        compilation fails.
        """
        tools = (f"{name}={version}" for name, version in sorted(inputs.toolchain.items()))
        facts = (source_version(self._processes), *compiler_versions(self._processes), *tools)
        tree_key = f"{content_key(_BUILD_VERSION, *facts)}-{content_key(*setting_lines(inputs.settings))}"
        key = content_key(tree_key, inputs.initramfs, str(inputs.number))
        found = self._cached(inputs, tree_key, key)
        if found is not None:  # also while another build holds the lock
            return found
        with self._cache.lock("kernel", lambda: self._progress.note("kernel: waiting for another build to finish")):
            return self._cached(inputs, tree_key, key) or self._built(inputs, tree_key, key)

    def _cached(self, inputs: KernelInputs, tree_key: str, key: str) -> KernelFiles | None:
        image = self._cache.find("kernels", key)
        modules = self._cache.find("modules", _modules_key(tree_key, inputs.number)) if inputs.modules else None
        if image is None or (inputs.modules and modules is None):
            return None
        self._progress.note("kernel: taken from the cache")
        return KernelFiles(image, modules)

    def _built(self, inputs: KernelInputs, tree_key: str, key: str) -> KernelFiles:
        work = self._cache.path("work", "tree")
        self._build_in(work, tree_key, inputs)
        self._check(work, tree_key, inputs)
        image = os.path.join(work, _IMAGE)
        finished = self._cache.publish("kernels", key, lambda path: copy_file(image, path))
        modules = self._modules(work, tree_key, inputs)
        self._keep_tree(work, tree_key)
        self._cache.keep_newest("trees", _TREES_KEPT)
        self._cache.keep_newest("kernels", _KERNELS_KEPT)
        self._cache.keep_newest("modules", _MODULES_KEPT)
        return KernelFiles(finished, modules)

    def _modules(self, work: str, tree_key: str, inputs: KernelInputs) -> str | None:
        """The modules depend on configuration and build number, and not on the initramfs."""
        if not inputs.modules:
            return None
        key = _modules_key(tree_key, inputs.number)
        found = self._cache.find("modules", key)
        if found is not None:
            return found
        with self._progress.phase("kernel: install modules"):
            return self._cache.publish("modules", key, lambda path: install_modules(self._processes, work, path))

    def _build_in(self, work: str, tree_key: str, inputs: KernelInputs) -> None:
        source = unpacked_source(self._processes, self._cache, self._progress)
        tree = self._cache.find("trees", tree_key)
        start = tree
        if start is None and not inputs.toolchain:
            start = self._cache.newest("trees", tree_key.partition("-")[0])
        self._cache.remove(work)
        if start is None:
            fresh_folder(work)
        else:
            with self._progress.phase("kernel: fetch a compiled tree from the cache"):
                self._copy(start, work)
        if tree is None:
            with self._progress.phase("kernel: configure"):
                configure(self._processes, source, work, inputs.settings)
        with self._progress.phase("kernel: link" if tree else "kernel: compile"):
            self._make(work, tree_key, inputs)

    def _keep_tree(self, work: str, tree_key: str) -> None:
        if self._cache.find("trees", tree_key) is None:
            for name in _LINKED:
                self._cache.remove(os.path.join(work, name))
            self._cache.publish("trees", tree_key, lambda path: self._copy(work, path))
        self._cache.remove(work)

    def _make(self, work: str, key: str, inputs: KernelInputs) -> None:
        write_file(os.path.join(work, _INITRAMFS), inputs.initramfs)
        log = self._cache.path("log", f"kernel-{key}.log")
        self._cache.remove(log)
        targets = ("bzImage", "modules") if inputs.modules else ("bzImage",)
        release = (f"LOCALVERSION={_release_suffix(key, inputs.number)}",) if inputs.modules else ()
        command = ("make", f"-j{self._jobs}", "-C", work, *release, *targets)
        with self._processes.start(command, log=log, env=identity(inputs.number)) as child:
            status = self._follow(child, log)
        if status:
            raise ToolFailed(
                "make", f"exit status {status}; full log: {log}", output=read_file(log).decode(errors="replace")
            )

    def _follow(self, child: Running, log: str) -> int:
        """Report progress until the build ends; return its exit status."""
        count = ObjectCount()
        seen, waited = 0, 0.0
        while waited < _MAX_BUILD_SECONDS:
            try:
                return child.wait(self._progress.interval).status
            except DeadlineExceeded:  # still running: time for a progress report
                waited += self._progress.interval
            written = read_file(log)
            count.feed(written[seen:])
            seen = len(written)
            self._progress.tick(count.objects)
        raise DeadlineExceeded("kernel compilation", _MAX_BUILD_SECONDS)

    def _copy(self, source: str, target: str) -> None:
        self._processes.run(("cp", "-a", "--reflink=auto", source, target))

    def _check(self, work: str, tree_key: str, inputs: KernelInputs) -> None:
        """Check that the kernel was linked with this initramfs, build number and release."""
        if read_file(os.path.join(work, "usr/initramfs_inc_data")) != inputs.initramfs:
            raise IntegrityFault(
                "kernel", "was linked with another initramfs; delete the cache folder work and build again"
            )
        version = version_text(read_file(os.path.join(work, _IMAGE)))
        release = version.partition(" ")[0]
        suffix = _release_suffix(tree_key, inputs.number) if inputs.modules else ""
        if f" #{inputs.number} " not in version or not release.endswith(suffix):
            raise IntegrityFault(
                "kernel",
                f"expected build #{inputs.number} of …{suffix}, got {version!r}; "
                "delete the cache folder work and build again",
            )


def _modules_key(tree_key: str, number: int) -> str:
    return f"{tree_key}-{number}"


def _release_suffix(tree_key: str, number: int) -> str:
    """End of the release string of a kernel with modules, ".7.1a2b3c4d": build number, and a digest of configuration,
    source and compilers. Modules name the release that they belong to (vermagic), and no other kernel loads them."""
    return f".{number}.{content_key(tree_key)[:8]}"


def setting_lines(settings: Mapping[str, Setting]) -> list[str]:
    """Values alone, so that comments, order and names of files do not matter."""
    return sorted(f"{symbol}={setting.value}" for symbol, setting in settings.items())


def version_text(image: bytes) -> str:
    """Return the version string of a bzImage, "6.1.148-gprov (gprov@gprov) #7 SMP …".

    Source: Documentation/x86/boot.rst, field kernel_version: 16 bits at 0x20E, the string is 0x200 after that.
    """
    start = int.from_bytes(image[0x20E:0x210], "little") + 0x200
    end = image.find(b"\0", start)
    return image[start:end].decode(errors="replace") if end > start else ""


def identity(number: int) -> dict[str, str]:
    """Return constants for user, host and time of the build. The build number distinguishes kernels."""
    return {
        "KBUILD_BUILD_VERSION": str(number),
        "KBUILD_BUILD_USER": "gprov",
        "KBUILD_BUILD_HOST": "gprov",
        "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
    }
