"""Where a Python source can be changed a little, and how: the classic operators of mutation testing.

A mutant is one replaced range of bytes, so that everything else of the file, its layout included, stays. Left alone:
texts for people (strings with a blank), annotations, decorators, docstrings, and changes that Python or the first call
would refuse whatever the tests are (such as None for a value that is never None).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from typing_extensions import override

from mutants.operators import ARITHMETIC, CALLS, COMPARISONS, ORDERLESS, RETURNS, is_sequence, other_constants


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


def mutants_of(source: bytes) -> list[Mutant]:
    """By their place. A few of them are not Python, or the same program: ``is_another_program`` tells."""
    finder = _Finder(source)
    finder.visit(finder.tree)
    found = {(one.start, one.end, one.text): one for one in finder.found}
    return [found[key] for key in sorted(found)]


def is_another_program(source: bytes, mutant: Mutant) -> bool:
    try:
        return ast.dump(ast.parse(mutant.applied(source))) != ast.dump(ast.parse(source))
    except SyntaxError:
        return False


class _Finder(ast.NodeVisitor):
    def __init__(self, source: bytes) -> None:
        self.source = source
        self.tree = ast.parse(source)
        self.found: list[Mutant] = []
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._returns = [""]
        self._fixed_order: set[ast.AST] = set()

    # -- places

    def _range(self, node: ast.expr | ast.stmt | ast.keyword | ast.pattern) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._lines[node.lineno - 1] + node.col_offset
        return start, self._lines[node.end_lineno - 1] + node.end_col_offset

    def _text(self, node: ast.expr) -> str:
        start, end = self._range(node)
        return self.source[start:end].decode()

    def _put(self, operator: str, start: int, end: int, text: str) -> None:
        self.found.append(Mutant(self.source.count(b"\n", 0, start) + 1, operator, start, end, text))

    def _replace(self, operator: str, node: ast.expr | ast.stmt, text: str) -> None:
        self._put(operator, *self._range(node), text)

    # -- statements

    @override
    def generic_visit(self, node: ast.AST) -> None:
        for _, value in ast.iter_fields(node):
            if isinstance(value, list):
                self._all(value)
            elif isinstance(value, ast.AST):
                self.visit(value)

    def _all(self, nodes: Sequence[object]) -> None:
        for node in nodes:
            if isinstance(node, ast.Expr | ast.AugAssign | ast.Raise | ast.Continue | ast.Break):
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                    continue  # a docstring
                self._replace("statement deleted", node, "pass")
            if isinstance(node, ast.AST):
                self.visit(node)

    @override
    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._all([*node.args.defaults, *node.args.kw_defaults])
        self._returns.append(ast.unparse(node.returns) if node.returns is not None else "")
        self._all(node.body)
        self._returns.pop()

    @override
    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._all(node.body)

    @override
    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    @override
    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        annotation = self._returns[-1]
        values = next((values for start, values in RETURNS.items() if annotation.startswith(start)), ())
        if "None" in annotation:
            values = ("None",)
        if not isinstance(node.value, ast.Constant):
            for value in values:
                self._replace("return value replaced", node.value, value)
        self.visit(node.value)

    # -- conditions

    def _condition(self, test: ast.expr, forced: tuple[str, ...] = ("True", "False")) -> None:
        if not isinstance(test, ast.Compare) and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            self._replace("condition negated", test, f"(not ({ast.unparse(test)}))")
        if not any(isinstance(part, ast.NamedExpr) for part in ast.walk(test)):
            for value in forced:
                self._replace("condition forced", test, value)

    @override
    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) == "TYPE_CHECKING":
            return
        self._condition(node.test)
        self.generic_visit(node)

    @override
    def visit_While(self, node: ast.While) -> None:
        self._condition(node.test, ("False",))
        self.generic_visit(node)

    @override
    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._condition(node.test)
        self.generic_visit(node)

    @override
    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._condition(test)
        self.generic_visit(node)

    @override
    def visit_match_case(self, node: ast.match_case) -> None:
        if node.guard is None:
            _, end = self._range(node.pattern)
            self._put("case never taken", end, end, " if False")
        else:
            self._condition(node.guard)
            self.visit(node.guard)
        self._all(node.body)

    # -- expressions

    @override
    def visit_Compare(self, node: ast.Compare) -> None:
        for index, op in enumerate(node.ops):
            for other in COMPARISONS[type(op)]:
                changed = copy.copy(node)
                changed.ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                self._replace("comparison changed", node, f"({ast.unparse(changed)})")
            if isinstance(op, ast.In | ast.NotIn):
                self._fixed_order.add(node.comparators[index])
        self.generic_visit(node)

    @override
    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        swapped = copy.copy(node)
        swapped.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        self._replace("and/or swapped", node, f"({ast.unparse(swapped)})")
        for index in range(len(node.values)):
            rest = copy.copy(node)
            rest.values = node.values[:index] + node.values[index + 1 :]
            text = ast.unparse(rest if len(rest.values) > 1 else rest.values[0])
            self._replace("condition dropped", node, f"({text})")
        self.generic_visit(node)

    @override
    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._replace("not removed", node, f"({ast.unparse(node.operand)})")
        self.generic_visit(node)

    @override
    def visit_BinOp(self, node: ast.BinOp) -> None:
        texts = any(is_sequence(part) for part in ast.walk(node))
        if (other := ARITHMETIC.get(type(node.op))) is not None and not texts:
            changed = copy.copy(node)
            changed.op = other()
            self._replace("arithmetic changed", node, f"({ast.unparse(changed)})")
        self.generic_visit(node)

    @override
    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.value, ast.Name) and node.value.id in ("tuple", "list", "dict", "frozenset"):
            return  # a type
        self.generic_visit(node)

    @override
    def visit_Constant(self, node: ast.Constant) -> None:
        for value in other_constants(node.value):
            self._replace("constant changed", node, repr(value))

    @override
    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        literal = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        if " " not in literal:
            self._replace("constant changed", node, '""')

    @override
    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in CALLS:
            self._put("call changed", *self._range(node.func), CALLS[name])
        if name in ORDERLESS:
            self._fixed_order.update(node.args)
        for first, second in pairwise(node.args):
            if type(first) is type(second) and not isinstance(first, ast.Starred):
                self._swap("arguments swapped", first, second)
        for keyword in node.keywords:
            if keyword.arg is not None:
                self._without("argument dropped", *self._range(keyword))
        self.generic_visit(node)

    @override
    def visit_List(self, node: ast.List) -> None:
        self._display(node, node.elts, "[]")

    @override
    def visit_Tuple(self, node: ast.Tuple) -> None:
        self._display(node, node.elts, "()")

    @override
    def visit_Set(self, node: ast.Set) -> None:
        self._fixed_order.add(node)
        self._display(node, node.elts, "set()")

    def _display(self, node: ast.List | ast.Tuple | ast.Set, elements: list[ast.expr], empty: str) -> None:
        if isinstance(node, ast.List | ast.Tuple) and not isinstance(node.ctx, ast.Load):
            return
        if len(elements) == 1:
            self._replace("element dropped", node, empty)
        elif len(elements) == 2 and isinstance(node, ast.Tuple):
            for kept in reversed(elements):
                self._replace("element dropped", node, f"({self._text(kept)},)")
        else:
            for element in elements:
                self._without("element dropped", *self._range(element))
        if node not in self._fixed_order:
            for first, second in pairwise(elements):
                self._swap("elements swapped", first, second)
        self._all(elements)

    def _swap(self, operator: str, first: ast.expr, second: ast.expr) -> None:
        start, left = self._range(first)
        right, end = self._range(second)
        self._put(operator, start, end, f"{self._text(second)}{self.source[left:right].decode()}{self._text(first)}")

    def _without(self, operator: str, start: int, end: int) -> None:
        """With the comma behind it, or before it."""
        behind = self.source[end:].lstrip()
        if behind.startswith(b","):
            rest = behind[1:].lstrip()
            self._put(operator, start, len(self.source) - len(rest), "")
        else:
            before = self.source[:start].rstrip().removesuffix(b",")
            self._put(operator, len(before), end, "")
