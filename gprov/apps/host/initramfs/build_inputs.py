"""Measures what this machine would build a kernel of, for a build record."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import packages_distributions
from importlib.metadata import version as distribution_version

import gprov
from gprov.apps.host.initramfs.build_record import BuildInputs, BuildResult, Choices
from gprov.apps.host.initramfs.builds import Initramfs, Kernel
from gprov.apps.host.initramfs.cpio import Node
from gprov.apps.host.initramfs.debian_packages import archive_with, installed_packages, owners, with_dependencies
from gprov.apps.host.initramfs.fragments import Settings
from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.apps.host.initramfs.initramfs import MODULES
from gprov.apps.host.initramfs.kernel import identity, setting_lines
from gprov.apps.host.initramfs.parts import PartKind, PartSize
from gprov.apps.host.initramfs.toolchain import RECORDED_PROGRAMS, REQUIRED_FILES, SOURCE_ARCHIVE
from gprov.ports.process import Processes

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = "package "
_COMMIT = re.compile(rb"[0-9a-f]{40}(-dirty)?")


def toolchain_of(processes: Processes) -> Mapping[str, str]:
    """Versions by name of the Debian packages whose programs and files a kernel is compiled with, and of all that they
    depend on. Raises ToolMissing, ToolFailed."""
    programs = (found for name in RECORDED_PROGRAMS if (found := processes.which(name)) is not None)
    paths = {path for found in (*programs, *REQUIRED_FILES) for path in (found, os.path.realpath(found))}
    return with_dependencies(sorted(owners(processes, paths)), installed_packages(processes))


def inputs_here(
    processes: Processes,
    choices: Choices,
    settings: Settings,
    initramfs: Initramfs,
    toolchain: Mapping[str, str],
) -> BuildInputs:
    """Raises ToolMissing, ToolFailed, DeviceMissing, DeviceFault."""
    installed = installed_packages(processes)
    names = owners(processes, [path for node in initramfs.nodes for path in _host_paths(node)])
    packages = {name: installed[name].version for name in sorted(names) if name in installed}
    return BuildInputs(
        version=gprov.__version__,
        commit=_commit(processes),
        builder=files_digest(_HERE, (name for name in os.listdir(_HERE) if name.endswith(".py"))),
        choices=choices,
        environment=identity(choices.number),
        configuration=hashlib.sha256("\n".join(setting_lines(settings)).encode()).hexdigest(),
        source=_file_digest(SOURCE_ARCHIVE),
        toolchain=toolchain,
        packages=packages,
        python=_python_packages(initramfs.sizes),
        files={f"/{node.path}": described(node) for node in initramfs.nodes},
        archive=archive_with(processes, dict(sorted({**toolchain, **packages}.items()))),
    )


def result_of(kernel: Kernel, initramfs: Initramfs) -> BuildResult:
    """``kernel``: not signed, since a signature holds its time."""
    modules = kernel.files.modules
    return BuildResult(
        kernel=_file_digest(kernel.files.image),
        size=os.path.getsize(kernel.files.image),
        initramfs=hashlib.sha256(initramfs.content).hexdigest(),
        modules="" if modules is None else files_digest(modules, _below(modules)),
    )


def described(node: Node) -> str:
    """Type and permissions as ls shows them, then SHA-256 of a file, target of a link, or number of a device."""
    kind = stat.filemode(node.mode)
    if stat.S_ISREG(node.mode):
        return f"{kind} {hashlib.sha256(node.content).hexdigest()}"
    if stat.S_ISLNK(node.mode):
        return f"{kind} {node.content.decode('ascii', 'backslashreplace')}"
    if stat.S_ISCHR(node.mode) or stat.S_ISBLK(node.mode):
        return f"{kind} {node.device[0]},{node.device[1]}"
    return kind


def files_digest(folder: str, names: Iterable[str]) -> str:
    """Of the contents of files, and of their paths relative to the folder."""
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{_file_digest(os.path.join(folder, name))}  {name}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _below(folder: str) -> Sequence[str]:
    with os_errors_translated(folder):
        return [
            os.path.relpath(os.path.join(parent, name), folder)
            for parent, _, names in os.walk(folder)
            for name in names
        ]


def _file_digest(path: str) -> str:
    with os_errors_translated(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _host_paths(node: Node) -> Sequence[str]:
    """Where the host may have the file of a node: in the same place, but for modules of Python."""
    if not stat.S_ISREG(node.mode):
        return ()
    name = node.path.removeprefix(f"{MODULES}/")
    if name == node.path:
        return (f"/{node.path}",)
    if name.endswith(".pyc"):
        return (f"/{MODULES}/{name.removesuffix('c')}",)
    # An extension has the platform in its name on the host, and not in the initramfs.
    return tuple(f"/{MODULES}/lib-dynload/{name.removesuffix('.so')}{suffix}" for suffix in EXTENSION_SUFFIXES)


def _python_packages(sizes: Iterable[PartSize]) -> Mapping[str, str]:
    """Versions of the installed distributions whose modules are in the initramfs."""
    tops = {one.part.name.removeprefix(_PACKAGE) for one in sizes if one.part.kind is PartKind.PYTHON}
    by_module = packages_distributions()
    names = {name for top in tops for name in by_module.get(top, ()) if name != "gprov"}
    return {name: distribution_version(name) for name in sorted(names)}


def _commit(processes: Processes) -> str:
    """Of the checkout, with "-dirty" if files were changed; "" without git or without a checkout."""
    checkout = os.path.dirname(os.path.dirname(os.path.abspath(gprov.__file__)))
    if processes.which("git") is None or not os.path.exists(os.path.join(checkout, ".git")):
        return ""
    command = ("git", "-C", checkout, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    found = processes.run(command, check=False).output.strip()
    return found.decode("ascii") if _COMMIT.fullmatch(found) else ""
