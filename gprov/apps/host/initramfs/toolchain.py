"""Checks for the programs and files that a kernel build needs."""

from __future__ import annotations

import os

from gprov.domain.errors import DeviceMissing
from gprov.ports.process import Processes

SOURCE_PACKAGE = "linux-source-6.1"
SOURCE_ARCHIVE = f"/usr/src/{SOURCE_PACKAGE}.tar.xz"
# Program -> Debian package.
_PROGRAMS = {
    "make": "make",
    "gcc": "gcc",
    "ld": "binutils",
    "flex": "flex",
    "bison": "bison",
    "bc": "bc",
    "perl": "perl",
    "zstd": "zstd",
    "tar": "tar",
    "xz": "xz-utils",
    "cp": "coreutils",
    "dpkg-query": "dpkg",
}
_MODULE_PROGRAMS = {"depmod": "kmod"}
REQUIRED_FILES = {
    SOURCE_ARCHIVE: SOURCE_PACKAGE,
    "/usr/include/libelf.h": "libelf-dev",  # objtool, which is built first
}
# Whose versions are in a build record, besides: they also take part in a compilation.
RECORDED_PROGRAMS = (
    *_PROGRAMS, *_MODULE_PROGRAMS, "ar", "as", "awk", "find", "g++", "grep", "gzip", "nm", "objcopy", "objdump",
    "readelf", "sed", "sh", "strip",
)  # fmt: skip
# Tools that influence the compiled objects.
_COMPILERS = ("gcc", "ld")


def require_kernel_tools(processes: Processes, *, modules: bool = False) -> None:
    """Raise DeviceMissing with everything that is missing, and the Debian packages to install. ``modules``: the kernel
    has some."""
    programs = _PROGRAMS | (_MODULE_PROGRAMS if modules else {})
    missing = {name: package for name, package in programs.items() if processes.which(name) is None}
    missing |= {path: package for path, package in REQUIRED_FILES.items() if not os.path.exists(path)}
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise DeviceMissing(", ".join(sorted(missing)), f"not installed; apt-get install {packages}")


def source_version(processes: Processes) -> str:
    """Return the version of the kernel source package, for example "6.1.148-1"."""
    query = ("dpkg-query", "--show", "--showformat=${Version}", SOURCE_PACKAGE)
    return processes.run(query).output.decode().strip()


def compiler_versions(processes: Processes) -> tuple[str, ...]:
    return tuple(processes.run((name, "--version")).output.decode().splitlines()[0] for name in _COMPILERS)
