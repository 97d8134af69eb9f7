"""Mutants of a Python source: replaced ranges of bytes.

Everything else of the file stays, its layout included.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """``text`` replaces the bytes from ``start`` to ``end``. ``line`` counts from 1."""

    line: int
    operator: str
    start: int
    end: int
    text: str

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.text.encode() + source[self.end :]


class MutantCollector(ast.NodeVisitor):
    """Collects mutants by the byte ranges of nodes. ``found``: mutants so far."""

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
        """Add a mutant without this range and the comma after or before it."""
        following = self.source[end:].lstrip()
        if following.startswith(b","):
            rest = following[1:].lstrip()
            self.put(operator, start, len(self.source) - len(rest), "")
        else:
            preceding = self.source[:start].rstrip().removesuffix(b",")
            self.put(operator, len(preceding), end, "")
