"""Checks that the modules of an initramfs need no more of a replaced module than the file that replaces it has."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from gprov.apps.host.initramfs.closure import Module
from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.domain.errors import BadInput, Problem

_FOR_TYPES = "TYPE_CHECKING"


def check_replaced(modules: Sequence[Module], replaced: Sequence[Module]) -> None:
    """``modules``: all others of the initramfs. Imports in ``try``, which have an alternative, and those for types only
    do not count. Raises BadInput with each name that would be missing on a unit."""
    names = {module.name: frozenset(_defined(_parsed(module))) for module in replaced}
    problems = []
    for module in modules:
        source = b"" if module.is_extension else read_file(module.source)
        if any(name.encode() in source for name in names):
            for line, missing in _missing(_parsed(module), names):
                reason = f"{missing} is not in the module that replaces it on a unit (table replace)"
                problems.append(Problem(f"{module.source}:{line}", reason))
    if problems:
        raise BadInput("initramfs", problems)


def _parsed(module: Module) -> ast.Module:
    return ast.parse(read_file(module.source), module.source)


def _defined(tree: ast.Module) -> Iterator[str]:
    """Names that the statements of a module bind."""
    for statement in tree.body:
        match statement:
            case ast.FunctionDef() | ast.ClassDef():
                yield statement.name
            case ast.Import() | ast.ImportFrom():
                yield from (alias.asname or alias.name for alias in statement.names)
            case ast.Assign():
                found = (node for target in statement.targets for node in ast.walk(target))
                yield from (node.id for node in found if isinstance(node, ast.Name))
            case _:
                pass


def _missing(tree: ast.Module, names: Mapping[str, frozenset[str]]) -> Iterator[tuple[int, str]]:
    """Line and what is missing."""
    local: dict[str, str] = {}  # name of a replaced module in this one -> its own
    for node in _required(tree):
        match node:
            case ast.ImportFrom(module=str(module), level=0) if module in names:
                used = [f"{module}.{alias.name}" for alias in node.names if alias.name not in (*names[module], "*")]
            case ast.ImportFrom(module=str(module), level=0):
                used = [module] if _is_below(module, names) else []
            case ast.Import():
                used = [alias.name for alias in node.names if _is_below(alias.name, names)]
                local |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in names}
            case _:
                continue
        yield from ((node.lineno, each) for each in used)
    for node in _required(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = local.get(node.value.id, "")
            if module and node.attr not in names[module]:
                yield node.lineno, f"{module}.{node.attr}"


def _is_below(module: str, names: Mapping[str, frozenset[str]]) -> bool:
    """A replaced package is a plain module."""
    return module not in names and any(module.startswith(f"{name}.") for name in names)


def _required(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Try):
            rest: list[ast.stmt] = [*child.orelse, *child.finalbody]
        elif isinstance(child, ast.If) and _FOR_TYPES in ast.unparse(child.test):
            rest = child.orelse
        else:
            yield child
            yield from _required(child)
            continue
        for statement in rest:
            yield statement
            yield from _required(statement)
