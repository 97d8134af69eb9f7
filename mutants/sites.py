"""Finds the mutants of a Python source with the classic operators of mutation testing.

Not changed: messages (strings with a blank), annotations, decorators, docstrings. Mutants that any call would reject
(such as None for a value that is never None) are not made.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from itertools import pairwise

from typing_extensions import override

from mutants.collector import Mutant, MutantCollector
from mutants.operators import ARITHMETIC, CALLS, COMPARISONS, ORDERLESS, RETURNS, is_sequence, other_constants


def mutants_of(source: bytes) -> list[Mutant]:
    """Return the mutants by position. Some are invalid or equivalent; see ``is_another_program``."""
    finder = _Finder(source)
    finder.visit(finder.tree)
    found = {(one.start, one.end, one.text): one for one in finder.found}
    return [found[key] for key in sorted(found)]


def is_another_program(source: bytes, mutant: Mutant) -> bool:
    try:
        return ast.dump(ast.parse(mutant.applied(source))) != ast.dump(ast.parse(source))
    except SyntaxError:
        return False


class _Finder(MutantCollector):
    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self._returns = [""]
        self._fixed_order: set[ast.AST] = set()

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
                self.replace("statement deleted", node, "pass")
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
                self.replace("return value replaced", node.value, value)
        self.visit(node.value)

    # -- conditions

    def _condition(self, test: ast.expr, forced: tuple[str, ...] = ("True", "False")) -> None:
        if not isinstance(test, ast.Compare) and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            self.replace("condition negated", test, f"(not ({ast.unparse(test)}))")
        if not any(isinstance(part, ast.NamedExpr) for part in ast.walk(test)):
            for value in forced:
                self.replace("condition forced", test, value)

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
            _, end = self.range_of(node.pattern)
            self.put("case never taken", end, end, " if False")
        else:
            self._condition(node.guard)
            self.visit(node.guard)
        self._all(node.body)

    @override
    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self._fixed_order.add(node.type)
        self.generic_visit(node)

    # -- expressions

    @override
    def visit_Compare(self, node: ast.Compare) -> None:
        for index, op in enumerate(node.ops):
            for other in COMPARISONS[type(op)]:
                changed = copy.copy(node)
                changed.ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                self.replace("comparison changed", node, f"({ast.unparse(changed)})")
            if isinstance(op, ast.In | ast.NotIn):
                self._fixed_order.add(node.comparators[index])
        self.generic_visit(node)

    @override
    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        swapped = copy.copy(node)
        swapped.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        self.replace("and/or swapped", node, f"({ast.unparse(swapped)})")
        for index in range(len(node.values)):
            rest = copy.copy(node)
            rest.values = node.values[:index] + node.values[index + 1 :]
            text = ast.unparse(rest if len(rest.values) > 1 else rest.values[0])
            self.replace("condition dropped", node, f"({text})")
        self.generic_visit(node)

    @override
    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self.replace("not removed", node, f"({ast.unparse(node.operand)})")
        self.generic_visit(node)

    @override
    def visit_BinOp(self, node: ast.BinOp) -> None:
        texts = any(is_sequence(part) for part in ast.walk(node))
        if (other := ARITHMETIC.get(type(node.op))) is not None and not texts:
            changed = copy.copy(node)
            changed.op = other()
            self.replace("arithmetic changed", node, f"({ast.unparse(changed)})")
        self.generic_visit(node)

    @override
    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.value, ast.Name) and node.value.id in ("tuple", "list", "dict", "frozenset"):
            return  # a type
        self.generic_visit(node)

    @override
    def visit_Constant(self, node: ast.Constant) -> None:
        for value in other_constants(node.value):
            self.replace("constant changed", node, repr(value))

    @override
    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        literal = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        if " " not in literal:
            self.replace("constant changed", node, '""')

    @override
    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in CALLS:
            self.put("call changed", *self.range_of(node.func), CALLS[name])
        if name in ORDERLESS:
            self._fixed_order.update(node.args)
        for first, second in pairwise(node.args):
            if type(first) is type(second) and not isinstance(first, ast.Starred):
                self.swap("arguments swapped", first, second)
        for keyword in node.keywords:
            if keyword.arg is not None:
                self.without("argument dropped", *self.range_of(keyword))
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
            self.replace("element dropped", node, empty)
        elif len(elements) == 2 and isinstance(node, ast.Tuple):
            for kept in reversed(elements):
                self.replace("element dropped", node, f"({self.text_of(kept)},)")
        else:
            for element in elements:
                self.without("element dropped", *self.range_of(element))
        if node not in self._fixed_order:
            for first, second in pairwise(elements):
                self.swap("elements swapped", first, second)
        self._all(elements)
