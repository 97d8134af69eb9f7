"""Modules of the package do not import each other in circles.

Each import counts: one that only a type checker reads makes two modules as dependent on each other as any other, and
so does one inside of a function, which is there to save time and not to hide a circle.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def modules(root: Path, package: str) -> dict[str, Path]:
    found = {}
    for path in (root / package).rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Module and name; the name is "" where the module itself is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from ((node.module, alias.name) for alias in node.names)


def imports(found: Mapping[str, Path]) -> dict[str, frozenset[str]]:
    """What each module imports of the others."""
    graph = {}
    for module, path in found.items():
        named = {
            f"{origin}.{name}" if f"{origin}.{name}" in found else origin
            for origin, name in imported(ast.parse(path.read_text()))
        }
        graph[module] = frozenset(named & found.keys()) - {module}
    return graph


def circle(graph: Mapping[str, frozenset[str]]) -> list[str]:
    """One of them, its first module again at the end; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(module) for module in error.args[1]]
    return []


def test_the_package_has_no_circle() -> None:
    graph = imports(modules(ROOT, "gprov"))
    assert len(graph) > 300
    assert circle(graph) == []


@pytest.mark.parametrize(
    "source",
    [
        "from package.a import A\n",
        "import package.a\n",
        "from package import a\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from package.a import A\n",
        "def later() -> None:\n    from package.a import A\n",
    ],
)
def test_every_kind_of_import_makes_a_circle(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "a.py").write_text("from package.b import B\n")
    (folder / "b.py").write_text(source)
    assert set(circle(imports(modules(tmp_path, "package")))) == {"package.a", "package.b"}
