"""A dataclass with many fields is made with their names: what a value means must not depend on its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FEW = 4


def wide_positional(source: str) -> Iterator[str]:
    """Names of dataclasses and named tuples with more than FEW fields that take them by place."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and _by_place(node):
            fields = [line for line in node.body if isinstance(line, ast.AnnAssign) and not _of_class(line)]
            if len(fields) > FEW:
                yield node.name


def _by_place(node: ast.ClassDef) -> bool:
    if any(ast.unparse(base).endswith("NamedTuple") for base in node.bases):
        return True
    for decorator in node.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        name = ast.unparse(call.func if call is not None else decorator)
        if name in ("dataclass", "dataclasses.dataclass"):
            words = {word.arg: ast.unparse(word.value) for word in call.keywords} if call is not None else {}
            return words.get("kw_only") != "True"
    return False


def _of_class(line: ast.AnnAssign) -> bool:
    return ast.unparse(line.annotation).startswith(("ClassVar", "typing.ClassVar"))


def test_no_wide_dataclass_takes_its_fields_by_place() -> None:
    found = {}
    for path in (ROOT / "gprov").rglob("*.py"):
        place = str(path.relative_to(ROOT))
        names = list(wide_positional(path.read_text()))
        if names:
            found[place] = names
    assert found == {}


FIELDS = "\n".join(f"    {name}: int = 0" for name in "abcde")


@pytest.mark.parametrize(
    ("head", "by_place"),
    [
        ("@dataclass\nclass A:", True),
        ("@dataclass(frozen=True, slots=True)\nclass A:", True),
        ("@dataclass(frozen=True, kw_only=False)\nclass A:", True),
        ("@dataclasses.dataclass\nclass A:", True),
        ("class A(NamedTuple):", True),
        ("@dataclass(frozen=True, kw_only=True)\nclass A:", False),
        ("class A:", False),
    ],
)
def test_what_takes_its_fields_by_place(head: str, by_place: bool) -> None:
    assert list(wide_positional(f"{head}\n{FIELDS}\n")) == (["A"] if by_place else [])
    narrow = FIELDS.replace("    e: int = 0", "    e: ClassVar[int] = 0")
    assert list(wide_positional(f"{head}\n{narrow}\n")) == []
