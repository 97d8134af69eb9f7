"""Parses the freeze specification, ``buildroot/initramfs.toml``: the content of an initramfs.

It has a table ``[common]`` and one per flavour, with the same keys; a flavour is the union of its tables. Unknown
keys are errors.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gprov.apps.host.initramfs.cpio import Node, device_node, folder, regular, symlink
from gprov.apps.host.initramfs.sources import PYTHON
from gprov.domain.errors import BadInput, Problem


class Flavor(StrEnum):
    """MFG_BURN_IN: MFG with the programs of a burn-in."""

    NORMAL = "normal"
    MFG = "mfg"
    MFG_BURN_IN = "mfg-burn-in"

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of its tables."""
        return ("common", Flavor.MFG, self) if self is Flavor.MFG_BURN_IN else ("common", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeSpec:
    """Content of a flavour.

    ``start``: "module:function" that /init runs. ``modules``, ``packages``, ``exclude``, ``prefer_source``: see
    closure. ``data``: data files, as paths relative to ``sys.path``. ``replace``: module -> file in the
    specification's folder that replaces it (a package becomes a plain module, so exclude it too).
    ``boot_modules``: names of modules that are also in one file, for a faster start; needs the module boot_importer.
    ``programs``, ``libraries``, ``libraries_32`` (i386): name -> Debian package. ``databases``: path -> Debian package.
    ``usb_names``: hwdb files of udev that become the database of lsusb. ``copies``: path -> file or folder of the host,
    relative to the specification, with its permissions. ``applets``: programs of which every applet becomes a command
    (they list them with ``--list``), unless there is a program of that name. ``loader``: modules of GRUB's core image.
    ``nodes``: nodes that are not copied from the host.
    """

    start: str
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    exclude: tuple[str, ...]
    prefer_source: tuple[str, ...]
    data: tuple[str, ...]
    boot_modules: frozenset[str]
    replace: Mapping[str, str]
    programs: Mapping[str, str]
    libraries: Mapping[str, str]
    libraries_32: Mapping[str, str]
    databases: Mapping[str, str]
    usb_names: tuple[str, ...]
    copies: Mapping[str, str]
    applets: tuple[str, ...]
    loader: tuple[str, ...]
    nodes: tuple[Node, ...]


_LISTS = ("modules", "packages", "exclude", "prefer_source", "data", "boot_modules", "applets", "usb_names", "loader")
_MAPS = ("replace", "programs", "libraries", "libraries_32", "databases", "copies")
_PATHS = ("databases", "copies")
_NODES = ("folders", "files", "scripts", "links", "devices")
_KEYS = {"start", *_LISTS, *_MAPS, *_NODES}
_PERMISSIONS = re.compile("0?[0-7]{1,4}")
# Of a device: Linux has numbers of 12 and 20 bits.
_NUMBER = re.compile("[0-9]{1,7}")


def parse_spec(text: str, flavor: Flavor, source: str = "freeze specification") -> FreezeSpec:
    """``{python}`` in the text stands for the name of the interpreter's folder, as in /usr/lib/python3.11. Raises
    BadInput with every problem found."""
    try:
        document = tomllib.loads(text.replace("{python}", PYTHON))
    except tomllib.TOMLDecodeError as exc:
        raise BadInput(source, [Problem("", str(exc))]) from exc
    problems: list[Problem] = []
    known = {"common", *Flavor}
    problems += [Problem(key, "unknown table") for key in document if key not in known]
    problems += [Problem(key, "missing table") for key in flavor.tables if key not in document]
    tables = [_Table(name, document.get(name), problems) for name in flavor.tables]
    start = "".join(table.text("start") for table in tables)
    module, _, function = start.partition(":")
    if not (function.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        problems.append(Problem("start", f'must be "module:function" once, is {start!r}'))
    spec = FreezeSpec(
        start=start,
        modules=_joined(tables, "modules"),
        packages=_joined(tables, "packages"),
        exclude=_joined(tables, "exclude"),
        prefer_source=_joined(tables, "prefer_source"),
        data=_joined(tables, "data"),
        boot_modules=frozenset(_joined(tables, "boot_modules")),
        replace=_merged(tables, "replace"),
        programs=_merged(tables, "programs"),
        libraries=_merged(tables, "libraries"),
        libraries_32=_merged(tables, "libraries_32"),
        databases=_merged(tables, "databases"),
        usb_names=_joined(tables, "usb_names"),
        copies=_merged(tables, "copies"),
        applets=_joined(tables, "applets"),
        loader=_joined(tables, "loader"),
        nodes=tuple(node for table in tables for node in table.nodes()),
    )
    if problems:
        raise BadInput(source, problems)
    return spec


def _joined(tables: Iterable[_Table], key: str) -> tuple[str, ...]:
    return tuple(item for table in tables for item in table.items(key))


def _merged(tables: Iterable[_Table], key: str) -> Mapping[str, str]:
    return {name: value for table in tables for name, value in table.mapping(key).items()}


class _Table:
    """A table of the document. Getters record problems and return valid values or defaults."""

    def __init__(self, name: str, value: object, problems: list[Problem]) -> None:
        self._name = name
        self._value = value if isinstance(value, dict) else {}
        self._problems = problems
        if value is not None and not isinstance(value, dict):
            problems.append(Problem(name, "must be a table"))
        for key in self._value:
            if key not in _KEYS:
                self._problem(key, "unknown key")

    def _problem(self, key: str, message: str) -> None:
        self._problems.append(Problem(f"{self._name}.{key}", message))

    def text(self, key: str) -> str:
        value = self._value.get(key, "")
        if isinstance(value, str):
            return value
        self._problem(key, "must be text")
        return ""

    def items(self, key: str) -> tuple[str, ...]:
        value = self._value.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self._problem(key, "must be a list of texts")
        return ()

    def mapping(self, key: str) -> dict[str, str]:
        value = self._value.get(key, {})
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            for path in value if key in _PATHS else ():
                if not path.startswith("/"):
                    self._problem(f"{key}.{path}", "must be an absolute path")
            return value
        self._problem(key, "must be a table of texts")
        return {}

    def nodes(self) -> list[Node]:
        makers: dict[str, Callable[[str, str], Node]] = {
            "folders": _folder,
            "files": lambda path, text: regular(path, text.encode()),
            "scripts": lambda path, text: regular(path, text.encode(), 0o755),
            "links": symlink,
            "devices": _device,
        }
        made = []
        for key, make in makers.items():
            for path, text in self.mapping(key).items():
                if not path.startswith("/"):
                    self._problem(f"{key}.{path}", "must be an absolute path")
                    continue
                try:
                    made.append(make(path.lstrip("/"), text))
                except ValueError as exc:
                    self._problem(f"{key}.{path}", str(exc))
        return made


def _folder(path: str, text: str) -> Node:
    return folder(path, _permissions(text))


def _device(path: str, text: str) -> Node:
    """``text`` is "c 5 1 0600": kind, major, minor, permissions."""
    words = text.split()
    if len(words) != 4 or words[0] not in ("b", "c") or not all(_NUMBER.fullmatch(word) for word in words[1:3]):
        raise ValueError(f'must be like "c 5 1 0600", is {text!r}')
    return device_node(path, words[0], int(words[1]), int(words[2]), _permissions(words[3]))


def _permissions(text: str) -> int:
    if not _PERMISSIONS.fullmatch(text):
        raise ValueError(f"must be octal permissions, is {text!r}")
    return int(text, 8)
