"""Compares two initramfs that were made of the same freeze specification from different systems.

Programs, libraries and modules of other versions differ in their bytes, and so does which libraries and modules of the
standard library they need; that counts as a difference of versions. What the specification and gprov itself determine
must be the same: which programs, commands, packages, files, folders, links and nodes there are, their permissions, and
the content of configuration, scripts and gprov's data.
"""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from gprov.apps.host.initramfs.cpio import Node
from gprov.apps.host.initramfs.elf import is_elf

_VERSIONED = re.compile(r"\bpython3\.\d+")
_PYTHON = "python3"
_MODULES = f"usr/lib/{_PYTHON}/"
_OWN = f"{_MODULES}gprov/"
_LIBRARY = re.compile(r"(.*/)?(lib|ld-)[^/]*\.so(\.[\d.]+)?")
# Folders of 64-bit libraries: of Debian, of Buildroot.
_DEBIAN_FOLDER = "usr/lib/x86_64-linux-gnu/"
_LIBRARIES = "usr/lib/"
_ELF_CLASS, _ELF_32 = 4, 1
_MODULE_SUFFIXES = (".pyc", ".so")
# Folders of configuration. Data elsewhere is of a package.
_CONFIGURATION = ("etc/",)


class Kind(Enum):
    """``value``: why a difference is one of versions; "" if it is a fault."""

    SPECIFIED = ""
    LIBRARY = "libraries"
    STANDARD_LIBRARY = "modules of the standard library"
    MODULE = "modules of other packages"
    BYTECODE = "bytecode of gprov"
    PROGRAM = "programs"
    DATA = "data of packages"


@dataclass(frozen=True, slots=True)
class Difference:
    """``kind`` is SPECIFIED for a fault. ``message``: what differs at ``path``."""

    path: str
    kind: Kind
    message: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """``same``: number of paths without a difference. Paths are such that versions and folders of both systems read
    alike: python3 for the interpreter, /usr/lib for libraries."""

    same: int
    differences: tuple[Difference, ...]

    @property
    def faults(self) -> tuple[Difference, ...]:
        return tuple(each for each in self.differences if each.kind is Kind.SPECIFIED)


def compare(first: Iterable[Node], second: Iterable[Node], names: tuple[str, str]) -> Comparison:
    """``names``: what messages call the two."""
    left, right = _by_path(first), _by_path(second)
    found: list[Difference] = []
    for path in sorted(left.keys() | right.keys()):
        a, b = left.get(path), right.get(path)
        if a is not None and b is not None:
            found += _differing(path, a, b)
        elif a is not None:
            found.append(_alone(path, a, names[0], right))
        elif b is not None:
            found.append(_alone(path, b, names[1], left))
    return Comparison(len(left.keys() | right.keys()) - len({each.path for each in found}), tuple(found))


def _by_path(nodes: Iterable[Node]) -> Mapping[str, Node]:
    return {_common_path(node): node for node in nodes}


def _common_path(node: Node) -> str:
    path = _VERSIONED.sub(_PYTHON, node.path)
    if path == _DEBIAN_FOLDER.rstrip("/"):
        return _LIBRARIES.rstrip("/")
    if is_elf(node.content) and node.content[_ELF_CLASS : _ELF_CLASS + 1] == bytes([_ELF_32]):
        return f"{path} (32-bit)"
    return path.replace(_DEBIAN_FOLDER, _LIBRARIES, 1) if path.startswith(_DEBIAN_FOLDER) else path


def _alone(path: str, node: Node, owner: str, other: Mapping[str, Node]) -> Difference:
    kind = _kind(path, node)
    if kind is Kind.MODULE and not any(name.startswith(_package(path)) for name in other):
        kind = Kind.SPECIFIED  # the whole package
    if kind in (Kind.BYTECODE, Kind.PROGRAM, Kind.DATA):
        kind = Kind.SPECIFIED
    return Difference(path, kind, f"only in {owner}")


def _differing(path: str, a: Node, b: Node) -> list[Difference]:
    if stat.S_IFMT(a.mode) != stat.S_IFMT(b.mode):
        return [Difference(path, Kind.SPECIFIED, f"a {_type(a)} and a {_type(b)}")]
    found = []
    if a.mode != b.mode:
        permissions = f"permissions {stat.S_IMODE(a.mode):04o} and {stat.S_IMODE(b.mode):04o}"
        found.append(Difference(path, Kind.SPECIFIED, permissions))
    if a.device != b.device and (stat.S_ISCHR(a.mode) or stat.S_ISBLK(a.mode)):
        found.append(Difference(path, Kind.SPECIFIED, f"devices {a.device} and {b.device}"))
    if a.content != b.content and _text(a.content) != _text(b.content):
        kind = Kind.SPECIFIED if stat.S_ISLNK(a.mode) else _kind(path, a)
        found.append(Difference(path, kind, f"{len(a.content):,} and {len(b.content):,} bytes"))
    return found


def _kind(path: str, node: Node) -> Kind:
    """What a difference at the path is due to."""
    if path.startswith(_OWN):
        return Kind.BYTECODE if path.endswith(".pyc") else Kind.SPECIFIED
    if path.startswith(_MODULES):
        top = _package(path).removeprefix(_MODULES)
        return Kind.STANDARD_LIBRARY if top in sys.stdlib_module_names else Kind.MODULE
    if _LIBRARY.fullmatch(path.removesuffix(" (32-bit)")):
        return Kind.LIBRARY
    if is_elf(node.content):
        return Kind.PROGRAM
    script = node.content.startswith(b"#!")
    if not stat.S_ISREG(node.mode) or script or path.startswith(_CONFIGURATION):
        return Kind.SPECIFIED
    return Kind.DATA


def _package(path: str) -> str:
    """Path of the folder of modules that belong to the package of this one, or of the module itself."""
    below = path.removeprefix(_MODULES).partition("/")[0]
    for suffix in _MODULE_SUFFIXES:
        below = below.removesuffix(suffix)
    return _MODULES + below


def _text(content: bytes) -> bytes:
    """Content in which versions of the interpreter read alike; only of scripts and targets of links."""
    if len(content) > 4096:
        return content
    return _VERSIONED.sub(_PYTHON, content.decode("latin-1")).encode("latin-1")


def _type(node: Node) -> str:
    types = (
        (stat.S_ISREG, "file"),
        (stat.S_ISDIR, "folder"),
        (stat.S_ISLNK, "link"),
        (stat.S_ISCHR, "character device"),
    )
    return next((name for is_type, name in types if is_type(node.mode)), "block device")
