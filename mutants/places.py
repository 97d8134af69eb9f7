"""A place in a Python source, and what stands there instead: a mutant.

It is one replaced range of bytes, so that everything else of the file, its layout included, stays.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """``text`` instead of the bytes from ``start`` to ``end``. ``line`` counts from 1."""

    line: int
    operator: str
    start: int
    end: int
    text: str

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.text.encode() + source[self.end :]


class Places(ast.NodeVisitor):
    """Knows where nodes stand in the source, and collects what could stand there instead. ``found``: so far."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.tree = ast.parse(source)
        self.found: list[Mutant] = []
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def range_of(self, node: ast.expr | ast.stmt | ast.keyword | ast.pattern) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._lines[node.lineno - 1] + node.col_offset
        return start, self._lines[node.end_lineno - 1] + node.end_col_offset

    def text_of(self, node: ast.expr) -> str:
        start, end = self.range_of(node)
        return self.source[start:end].decode()

    def put(self, operator: str, start: int, end: int, text: str) -> None:
        self.found.append(Mutant(self.source.count(b"\n", 0, start) + 1, operator, start, end, text))

    def replace(self, operator: str, node: ast.expr | ast.stmt, text: str) -> None:
        self.put(operator, *self.range_of(node), text)

    def swap(self, operator: str, first: ast.expr, second: ast.expr) -> None:
        start, left = self.range_of(first)
        right, end = self.range_of(second)
        self.put(operator, start, end, f"{self.text_of(second)}{self.source[left:right].decode()}{self.text_of(first)}")

    def without(self, operator: str, start: int, end: int) -> None:
        """With the comma behind it, or before it."""
        behind = self.source[end:].lstrip()
        if behind.startswith(b","):
            rest = behind[1:].lstrip()
            self.put(operator, start, len(self.source) - len(rest), "")
        else:
            before = self.source[:start].rstrip().removesuffix(b",")
            self.put(operator, len(before), end, "")
