"""Determines the Python modules that a program needs, by static analysis of its imports.

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
from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file
from gprov.domain.errors import BadInput, Problem

_SOURCE_SUFFIX = ".py"
_EXTENSION_SUFFIXES = tuple(importlib.machinery.EXTENSION_SUFFIXES)


class _Found(Protocol):
    """Attributes of ModuleFinder's module objects."""

    __code__: CodeType | None
    __file__: str | None
    __path__: list[str] | None


@dataclass(frozen=True, slots=True)
class Module:
    """A module and its file on the host: source text, or an extension (``.so``)."""

    name: str
    source: str
    is_package: bool

    @property
    def is_extension(self) -> bool:
        return self.source.endswith(_EXTENSION_SUFFIXES)

    @property
    def target(self) -> str:
        """Path relative to a folder of ``sys.path``: bytecode at the path of the source, or the extension with the
        suffix that the importer tries first."""
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
    """Return the closure of ``entries`` and of all modules in ``packages``, sorted by name, searched on ``path``.

    Modules named in ``exclude`` are treated as not installed. Top-level packages named in ``prefer_source`` are taken
    as Python source where a compiled variant is in the same folder. Raises BadInput with every entry or package that
    cannot be found.
    """
    finder = ModuleFinder(list(path), excludes=list(exclude))
    requested = [*entries]
    packages = tuple(packages)
    problems: list[Problem] = []
    for package in packages:
        inner = _inside(package, path)
        if not inner:
            problems.append(Problem(package, "no such package"))
        requested += inner
    problems += _import(finder, requested)
    if problems:
        raise BadInput("modules to freeze", problems)
    _use_sources(finder, frozenset(prefer_source))
    found = [
        Module(name, module.__file__, module.__path__ is not None)
        for name, module in _found(finder)
        if module.__file__ is not None  # None: built into the interpreter
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
    """Return the package and all its modules, by the files in its folder, without ``__main__``."""
    relative = package.replace(".", "/")
    for root in path:
        folder = os.path.join(root, relative)
        if os.path.isfile(os.path.join(folder, "__init__.py")):
            return _walk(package, folder)
    return []


def _walk(package: str, folder: str) -> list[str]:
    names = [package]
    with os_errors_translated(folder):
        entries = sorted(os.listdir(folder))
    for entry in entries:
        inner = os.path.join(folder, entry)
        if os.path.isfile(os.path.join(inner, "__init__.py")):
            names += _walk(f"{package}.{entry}", inner)
        elif entry.endswith(_SOURCE_SUFFIX) and entry not in ("__init__.py", "__main__.py"):
            names.append(f"{package}.{entry.removesuffix(_SOURCE_SUFFIX)}")
    return names


def module_search_path() -> tuple[str, ...]:
    """Where the running interpreter finds modules, the checkout first (an editable installation is an import hook,
    which static analysis does not see)."""
    checkout = os.path.dirname(os.path.dirname(os.path.abspath(gprov.__file__)))
    return (checkout, *(part for part in sys.path if os.path.isdir(part) and part != checkout))
