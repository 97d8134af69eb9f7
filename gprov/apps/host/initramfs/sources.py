"""The system whose files an initramfs is made of: the build host, or a tree that Buildroot installed.

Paths of this module are those inside the system, as programs of the system see them; ``locate`` gives the host's path.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from gprov.domain.errors import BadInput, Problem

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_MAX_LINKS = 40  # as the kernel
_DEBIAN_LIBRARIES = "/usr/lib/x86_64-linux-gnu"
GRUB_FOLDER = "/usr/lib/grub/i386-pc"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSystem:
    """The default is the build host, a Debian.

    ``root``: folder of the system's tree; "" for the host. ``library_folder``: of 64-bit libraries in the initramfs.
    ``search_path``, ``search_path_32``: built-in search path of the system's loader for 64-bit and 32-bit libraries.
    ``grub``: the host's folder with GRUB's modules. ``files``: path that the freeze specification names -> path in this
    system. ``libraries``: name of a library in the specification -> name in this system. ``options``: Debian package ->
    options of Buildroot that install the same files.
    """

    root: str = ""
    library_folder: str = _DEBIAN_LIBRARIES
    # ld.so.cache is only an index of these folders.
    search_path: tuple[str, ...] = (_DEBIAN_LIBRARIES, "/usr/lib", "/usr/lib64")
    # Packages of amd64 (libc6-i386, lib32stdc++6), and packages of i386 (libc6:i386).
    search_path_32: tuple[str, ...] = ("/usr/lib32", "/usr/lib/i386-linux-gnu")
    grub: str = GRUB_FOLDER
    files: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_host(self) -> bool:
        return not self.root

    def locate(self, path: str) -> str | None:
        """Return the host's path of a file or folder, without links, or None. Links never lead out of the tree."""
        found = os.path.realpath(path) if self.is_host else _followed(self.root, path)
        return found if found is not None and os.path.exists(found) else None

    def inner(self, host_path: str) -> str:
        """Return the path inside the system of a file that the host has at ``host_path``; files from elsewhere keep
        their path."""
        below = f"{self.root}/"
        return host_path[len(self.root) :] if host_path.startswith(below) else host_path

    def hint(self, package: str) -> str:
        """Say how to install a Debian package or what stands for it."""
        if self.is_host:
            return f"it is in the Debian package {package}"
        options = self.options.get(package)
        return f"select {', '.join(options)}" if options else f"not in {self.root}; Debian has it in {package}"


HOST = SourceSystem()


def buildroot_tree(root: str, grub: str, names: str, source: str) -> SourceSystem:
    """Return the system that Buildroot installed in the folder ``root``. ``grub``: the host's folder with GRUB's
    modules; ``names``: text of ``buildroot/names.toml``; ``source``: its name. Raises BadInput with every problem."""
    tables = _parse_names(names, source)
    return SourceSystem(
        root=os.path.realpath(root),
        library_folder="/usr/lib",
        search_path=("/usr/lib", "/usr/lib64"),
        search_path_32=(),
        grub=grub,
        files=_texts(tables["files"]),
        libraries=_texts(tables["libraries"]),
        options={name: tuple(map(str, value)) for name, value in tables["packages"].items() if isinstance(value, list)},
    )


def _parse_names(text: str, source: str) -> Mapping[str, Mapping[str, object]]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise BadInput(source, [Problem("", str(exc))]) from exc
    known = ("packages", "python", "files", "libraries")
    problems = [Problem(key, "unknown table") for key in document if key not in known]
    tables: dict[str, Mapping[str, object]] = {}
    for key in known:
        table = document.get(key, {})
        if not isinstance(table, dict):
            problems.append(Problem(key, "must be a table"))
            continue
        tables[key] = table
        what, valid = ("text", _is_text) if key in ("files", "libraries") else ("a list of options", _is_options)
        problems += [Problem(f"{key}.{name}", f"must be {what}") for name, value in table.items() if not valid(value)]
    if problems:
        raise BadInput(source, problems)
    return tables


def _is_options(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _texts(table: Mapping[str, object]) -> Mapping[str, str]:
    return {name: value for name, value in table.items() if isinstance(value, str)}


def _followed(root: str, path: str) -> str | None:
    """Follow links of ``path`` as a process would whose root is ``root``. Return None for a circle."""
    pending = path.split("/")[::-1]
    done: list[str] = []
    links = 0
    while pending:
        part = pending.pop()
        if part in ("", "."):
            continue
        if part == "..":
            done = done[:-1]
            continue
        here = os.path.join(root, *done, part)
        if not os.path.islink(here):
            done.append(part)
            continue
        links += 1
        if links > _MAX_LINKS:
            return None
        target = os.readlink(here)
        done = [] if target.startswith("/") else done
        pending += target.split("/")[::-1]
    return os.path.join(root, *done)
