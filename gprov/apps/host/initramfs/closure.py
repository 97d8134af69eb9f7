"""Which Python modules a program needs: static analysis of its imports, without running it.

The finder of the standard library follows every import statement in the bytecode, also those inside functions and
``try`` blocks. Imports that extension modules make are declared by the freeze specification.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from modulefinder import ModuleFinder
from types import CodeType
from typing import Protocol, cast

import gprov
from gprov.apps.host.initramfs.hostfiles import read_file, translated
from gprov.domain.errors import BadInput, Problem

_SOURCE_SUFFIX = ".py"
_EXTENSION_SUFFIXES = tuple(importlib.machinery.EXTENSION_SUFFIXES)


class _Found(Protocol):
    """What the finder keeps of a module."""

    __code__: CodeType | None
    __file__: str | None
    __path__: list[str] | None


@dataclass(frozen=True, slots=True)
class Module:
    """A module and the host's file that it comes from: source text, or an extension (``.so``)."""

    name: str
    source: str
    is_package: bool

    @property
    def is_extension(self) -> bool:
        return self.source.endswith(_EXTENSION_SUFFIXES)

    @property
    def target(self) -> str:
        """Path below a folder of ``sys.path``: sourceless bytecode in the place of the source, or the extension
        under the name that needs the fewest look-ups."""
        base = self.name.replace(".", "/")
        if self.is_extension:
            return f"{base}.so"
        return f"{base}/__init__.pyc" if self.is_package else f"{base}.pyc"


def modules_of(
    entries: Iterable[str],
    packages: Iterable[str],
    path: Sequence[str],
    *,
    exclude: Iterable[str] = (),
    prefer_source: Iterable[str] = (),
) -> tuple[Module, ...]:
    """The closure of ``entries`` and of everything inside ``packages``, sorted by name, looked for on ``path``.

    Modules named in ``exclude`` are treated as not installed. Top-level packages named in ``prefer_source`` are taken
    as Python source where a compiled variant lies beside it. Raises BadInput with every entry or package that cannot
    be found.
    """
    finder = ModuleFinder(list(path), excludes=list(exclude))
    wanted = [*entries]
    packages = tuple(packages)
    problems: list[Problem] = []
    for package in packages:
        inner = _inside(package, path)
        if not inner:
            problems.append(Problem(package, "no such package"))
        wanted += inner
    problems += _import(finder, wanted)
    if problems:
        raise BadInput("modules to freeze", problems)
    _use_sources(finder, frozenset(prefer_source))
    found = [
        Module(name, module.__file__, module.__path__ is not None)
        for name, module in _found(finder)
        if module.__file__ is not None  # else it is part of the interpreter
    ]
    return tuple(sorted(found, key=lambda module: module.name))


def _import(finder: ModuleFinder, names: Iterable[str]) -> list[Problem]:
    problems = []
    for name in names:
        try:
            finder.import_hook(name)
        except (ImportError, SyntaxError) as exc:
            problems.append(Problem(name, str(exc)))
    return problems


def _found(finder: ModuleFinder) -> list[tuple[str, _Found]]:
    return [(name, cast(_Found, module)) for name, module in finder.modules.items()]


def _use_sources(finder: ModuleFinder, packages: frozenset[str]) -> None:
    for name, module in _found(finder):
        if name.partition(".")[0] in packages and module.__file__ and module.__file__.endswith(_EXTENSION_SUFFIXES):
            source = os.path.join(os.path.dirname(module.__file__), name.rpartition(".")[2] + _SOURCE_SUFFIX)
            finder.scan_code(compile(read_file(source), source, "exec", dont_inherit=True), finder.modules[name])
            module.__file__ = source


def _inside(package: str, path: Sequence[str]) -> list[str]:
    """All modules of a package, itself included, by the files in its folder. ``__main__`` only if named."""
    relative = package.replace(".", "/")
    for root in path:
        folder = os.path.join(root, relative)
        if os.path.isfile(os.path.join(folder, "__init__.py")):
            return _walk(package, folder)
    return []


def _walk(package: str, folder: str) -> list[str]:
    names = [package]
    with translated(folder):
        entries = sorted(os.listdir(folder))
    for entry in entries:
        inner = os.path.join(folder, entry)
        if os.path.isfile(os.path.join(inner, "__init__.py")):
            names += _walk(f"{package}.{entry}", inner)
        elif entry.endswith(_SOURCE_SUFFIX) and entry not in ("__init__.py", "__main__.py"):
            names.append(f"{package}.{entry.removesuffix(_SOURCE_SUFFIX)}")
    return names


def search_path() -> tuple[str, ...]:
    """Where the running interpreter finds modules, the checkout first (an editable installation is an import hook,
    which static analysis does not see)."""
    checkout = os.path.dirname(os.path.dirname(os.path.abspath(gprov.__file__)))
    return (checkout, *(part for part in sys.path if os.path.isdir(part) and part != checkout))
