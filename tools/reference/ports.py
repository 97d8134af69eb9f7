"""The page of ports: each Protocol of ``gprov.ports`` with its methods and their docstrings."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gprov.ports
from tools.reference.text import escaped

_HEAD = """# Ports

Made from `gprov/ports`. A port is a Protocol: what flows ask of a machine. Which adapters each has:
[architecture.md](../explanation/architecture.md#ports). Errors are those of `gprov.domain.errors`.
"""
_FOLDER = Path(inspect.getfile(gprov.ports)).parent


@dataclass(frozen=True, slots=True)
class Method:
    """``signature``: without ``self``."""

    name: str
    signature: str
    text: str


@dataclass(frozen=True, slots=True)
class Port:
    """``module``: relative to ``gprov/ports``."""

    name: str
    module: str
    text: str
    methods: tuple[Method, ...]


def ports_page() -> str:
    parts, module = [_HEAD], ""
    for port in ports():
        if port.module != module:
            module = port.module
            parts.append(f"\n## {module}\n\n{_text_of_module(module)}")
        parts.append(f"\n### {port.name}\n\n{port.text}")
        parts += [f"\n**`{one.signature}`**\n\n{one.text}" for one in port.methods]
    return "".join(parts)


def ports() -> Iterator[Port]:
    """Every Protocol, by module."""
    for path in sorted(_FOLDER.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and any(_is_protocol(base) for base in node.bases):
                methods = tuple(_methods(node))
                yield Port(node.name, path.relative_to(_FOLDER).as_posix(), _text(ast.get_docstring(node)), methods)


def _is_protocol(base: ast.expr) -> bool:
    inner = base.value if isinstance(base, ast.Subscript) else base
    return isinstance(inner, ast.Name) and inner.id == "Protocol"


def _methods(port: ast.ClassDef) -> Iterator[Method]:
    for node in port.body:
        if isinstance(node, ast.FunctionDef):
            yield Method(node.name, _signature(node), _text(ast.get_docstring(node)))
        elif isinstance(node, ast.AnnAssign):
            yield Method(ast.unparse(node.target), ast.unparse(node), "")


def _signature(node: ast.FunctionDef) -> str:
    if any(isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list):
        return f"{node.name}: {ast.unparse(node.returns) if node.returns else ''}"
    arguments = ast.unparse(node.args).removeprefix("self, ").removeprefix("self")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({arguments}){returns}"


def _text_of_module(module: str) -> str:
    return _text(ast.get_docstring(ast.parse((_FOLDER / module).read_text())))


def _text(docstring: str | None) -> str:
    """Docstrings have names of code between two backticks, which Markdown reads as it does one."""
    return f"{escaped(docstring)}\n" if docstring else ""
