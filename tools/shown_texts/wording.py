"""Turns an expression of a text into the templates that it may give.

A template is the text with ``{name}`` where something is put in; braces of the text itself are doubled. An expression
has several if it chooses between texts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

from tools.shown_texts.program import Function, Program, Scope, dotted

# An expression with more alternatives is shown with a placeholder instead.
MOST_ALTERNATIVES = 24
_DEPTH = 4
_WORDS = re.compile(r"[A-Za-z][a-z]+[,;:)]*\s(?:[({]*[A-Za-z]|[a-z])|[a-z]\s[A-Za-z][a-z]+|[A-Z]{3,} [a-z]{2,}")
# A word with what it is about: "failed: {reason}".
_LABELLED = re.compile(r"[a-z]{3,}: \{\w")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# What only changes the form of what it is given.
_FORMS = (
    *("str", "redacted", "repr", "len", "sorted", "tuple", "list", "enumerate", "printable_text", "float", "int"),
    "ord",
)
# Methods that give a part or another form of what they are called on.
_PARTS = (
    *("split", "rsplit", "partition", "rpartition", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix"),
    *("decode", "replace"),
)


@dataclass(frozen=True)
class Wording:
    """A template and the nodes of the source that it is made of."""

    template: str
    nodes: frozenset[ast.AST] = frozenset()

    @property
    def passes_on(self) -> bool:
        """Is there nothing but placeholders and punctuation?"""
        return not re.search(r"[A-Za-z]", literal(self.template))

    def __add__(self, other: Wording) -> Wording:
        return Wording(self.template + other.template, self.nodes | other.nodes)


def literal(template: str) -> str:
    """The template without its placeholders."""
    return re.sub(r"\{\{|\}\}|\{\w+\}", lambda found: found[0][0] if len(found[0]) == 2 else " ", template)


def is_prose(template: str) -> bool:
    """Words that a person reads, and not a name, path or key."""
    words = re.sub(r"\s+(?=[,;:)]|\s|$)", "", literal(template))
    return bool(_WORDS.search(words) or _LABELLED.match(template))


@dataclass(frozen=True)
class Resolver:
    """``bound``: wordings of parameters, where a call is followed."""

    program: Program
    scope: Scope
    bound: tuple[tuple[str, tuple[Wording, ...]], ...] = ()
    depth: int = 0

    def wordings(self, node: ast.expr) -> tuple[Wording, ...]:
        """One at least; a placeholder stands for what is not known."""
        known = None if self.bound else self.program.known.get((self.scope, node, self.depth))
        if known is not None:
            return known
        found = tuple(dict.fromkeys(self._wordings(node)))
        found = found if 0 < len(found) <= MOST_ALTERNATIVES else (placeholder(node),)
        if not self.bound:
            self.program.known[self.scope, node, self.depth] = found
        return found

    def _wordings(self, node: ast.expr) -> Iterable[Wording]:
        match node:
            case ast.Constant(value=str(text)):
                return [Wording(text.replace("{", "{{").replace("}", "}}"), frozenset([node]))]
            case ast.Constant(value=int() | float() as number):
                return [Wording(str(number))]
            case ast.JoinedStr(values):
                return self._joined(values, node)
            case ast.FormattedValue(value, conversion, spec):
                return self._formatted(value, plain=conversion == -1 and spec is None)
            case ast.BinOp(left, ast.Add(), right):
                joined = self._joined([left, right], node)
                # Else numbers are added.
                return joined if any(one.nodes - {node} for one in joined) else [placeholder(node)]
            case ast.IfExp(test, body, orelse):
                return [one for choice in self._choices(test, body, orelse) for one in self.wordings(choice)]
            case ast.BoolOp(ast.Or(), values):
                return [one for value in values for one in self.wordings(value)]
            case _:
                return self._referred(node)

    def _choices(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> list[ast.expr]:
        """One of the two, if the condition is a parameter whose text is known here."""
        match test:
            case ast.Name(name) if found := dict(self.bound).get(name):
                taken = {bool(one.template) for one in found if one.nodes}
                return [body] if taken == {True} else [orelse] if taken == {False} else [body, orelse]
            case _:
                return [body, orelse]

    def _referred(self, node: ast.expr) -> Iterable[Wording]:
        """What stands for a text."""
        match node:
            case ast.NamedExpr(value=value):
                return self.wordings(value)
            case ast.Name(name):
                return self._named(name, node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript(value=value):
                return self._chosen(value, node)
            case ast.Call():
                return self._called(node)
            case _:
                return [placeholder(node)]

    def _joined(self, values: list[ast.expr], node: ast.expr) -> list[Wording]:
        parts = [self.wordings(value) for value in values]
        count = 1
        for part in parts:
            count *= len(part)
        if count > MOST_ALTERNATIVES:
            # The longest choice becomes a placeholder; what it chooses from is found as a text of its own.
            longest = max(range(len(parts)), key=lambda index: len(parts[index]))
            parts[longest] = (placeholder(values[longest]),)
            if len(parts[longest]) == 1 and count > MOST_ALTERNATIVES**2:
                parts = [
                    part if len(part) == 1 else (placeholder(value),) for part, value in zip(parts, values, strict=True)
                ]
        joined = [sum(choice, Wording("")) for choice in product(*parts)]
        return [replace(one, nodes=one.nodes | {node}) for one in joined]

    def _formatted(self, value: ast.expr, *, plain: bool) -> Iterable[Wording]:
        """An inserted value: a constant is inserted, and a choice of texts; anything else has a placeholder."""
        found = self.wordings(value)
        if not plain and not all(one.nodes for one in found):
            return [placeholder(value)]
        return found

    def _named(self, name: str, node: ast.expr) -> Iterable[Wording]:
        for parameter, wordings in self.bound:
            if parameter == name:
                return wordings
        if self.depth > _DEPTH:
            return [placeholder(node)]
        deeper = replace(self, depth=self.depth + 1)
        for scope in (self.scope, self.program.module_scope(self.scope)):
            if name in scope.assigned:
                return deeper._assigned(name, scope, node)
        return self._imported(name, node)

    def _assigned(self, name: str, scope: Scope, node: ast.expr) -> Iterable[Wording]:
        values = scope.assigned[name]
        inner = replace(self, scope=scope)
        own = [value for value in values if value is not None and _uses(value, name)]
        found = [one for value in values if value is not None and value not in own for one in inner.wordings(value)]
        if None in values or not found or not any(one.nodes for one in found):
            return [placeholder(node)]
        # A text that is made longer, once: reason = f"{reason}: {more}".
        longer = replace(inner, bound=(*self.bound, (name, tuple(found))))
        found += [one for value in own for one in longer.wordings(value)]
        further = [one for value in scope.added[name] for one in inner.wordings(value)]
        return [*found, *(before + after for before in found for after in further)]

    def _imported(self, name: str, node: ast.expr) -> Iterable[Wording]:
        module, there = self.program.imported[self.scope.module.tree].get(name, ("", ""))
        scope = self.program.named(module) if module else None
        if scope is None or there not in scope.assigned:
            return [placeholder(node)]
        return replace(self, scope=scope, bound=(), depth=self.depth + 1)._assigned(there, scope, node)

    def _attribute(self, node: ast.Attribute) -> Iterable[Wording]:
        """Value of a member of an enumeration; constant of the own class."""
        match node:
            case ast.Attribute(ast.Attribute(ast.Name(enumeration), member), "value"):
                return self._member(enumeration, member, node)
            case ast.Attribute(ast.Name(name), attr) if name in self.program.classes:
                return self._member(name, attr, node)
            case _:
                return [placeholder(node)]

    def _member(self, name: str, member: str, node: ast.expr) -> Iterable[Wording]:
        if name not in self.program.classes:
            return [placeholder(node)]
        body, _ = self.program.classes[name]
        inner = self.program.scopes[body]
        if member not in inner.assigned:
            return [placeholder(node)]
        return replace(self, scope=inner, bound=(), depth=self.depth + 1)._assigned(member, inner, node)

    def _chosen(self, value: ast.expr, node: ast.expr) -> Iterable[Wording]:
        """All values of a table of texts, if it is written out."""
        table = self._table(value)
        if table is None:
            return [placeholder(node)]
        found = [one for text in table for one in self.wordings(text)]
        return found if all(one.nodes for one in found) else [placeholder(node)]

    def _table(self, value: ast.expr) -> list[ast.expr] | None:
        match value:
            case ast.Dict(values=values):
                return values
            case ast.Name(name):
                assigned = self.program.module_scope(self.scope).assigned.get(name, [])
                return self._table(assigned[0]) if len(assigned) == 1 and isinstance(assigned[0], ast.Dict) else None
            case _:
                return None

    def _called(self, node: ast.Call) -> Iterable[Wording]:
        match node:
            case ast.Call(
                ast.Attribute(ast.Constant(value=str(between)), "join"), [ast.Tuple(parts) | ast.List(parts)]
            ):
                if not any(isinstance(part, ast.Starred) for part in parts):
                    separated = [one for part in parts for one in (part, ast.Constant(between))]
                    return self._joined(separated[:-1], node)
            case ast.Call(ast.Attribute(table, "get"), [_, default]) if (texts := self._table(table)) is not None:
                return [one for text in (*texts, default) for one in self.wordings(text)]
            case ast.Call(ast.Name("str"), [one]):
                return self.wordings(one)
            case _:
                pass
        return self._returned(node)

    def _returned(self, node: ast.Call) -> Iterable[Wording]:
        """Texts that a function returns, if these are sentences."""
        name = dotted(node.func).rpartition(".")[2]
        scopes = self.program.functions.get(name, [])
        if name.startswith("_"):  # of the same module
            scopes = [one for one in scopes if one.module is self.scope.module]
        if len(scopes) != 1 or scopes[0].function is None or self.depth > _DEPTH:
            return [placeholder(node)]
        [scope] = scopes
        found = [one for value in returned(scopes[0].function) for one in self.inside(scope, node).wordings(value)]
        if not any(is_prose(one.template) for one in found):
            return [placeholder(node)]
        # An empty text stands for "no problem", and is not shown; or for "nothing to add", if what is added goes on
        # with a text.
        adds = not any(one.template[:1].isalnum() or one.template[:1] == "{" for one in found)
        return [one for one in found if one.template or adds]

    def inside(self, scope: Scope, node: ast.Call) -> Resolver:
        """For expressions of a function that this call calls."""
        bound = dict(bind(scope.parameters, node))
        wordings = tuple((name, self.wordings(value)) for name, value in bound.items())
        known = tuple((name, its) for name, its in wordings if any(one.nodes for one in its))
        return Resolver(self.program, scope, known, self.depth + 1)


def _uses(value: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))


@cache
def returned(function: Function) -> list[ast.expr]:
    """Expressions of its return statements."""
    return [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]


def bind(parameters: tuple[str, ...], call: ast.Call) -> Iterable[tuple[str, ast.expr]]:
    """Arguments of a call by the names of the parameters."""
    if not any(isinstance(one, ast.Starred) for one in call.args):
        yield from zip(parameters, call.args, strict=False)
    yield from ((one.arg, one.value) for one in call.keywords if one.arg)


def placeholder(node: ast.AST) -> Wording:
    return Wording(f"{{{name_of(node)}}}")


def name_of(node: ast.AST) -> str:
    """A name for what is put in, as the source calls it."""
    match node:
        case ast.Name(name):
            return name.lower().strip("_") or "value"
        case ast.Attribute(value, attr):
            return (
                name_of(value) if attr in ("value", "sentence", "name") and _speaks(value) else attr.lower().strip("_")
            )
        case ast.Call():
            return _name_of_call(node)
        case ast.GeneratorExp(generators=[one, *_]) | ast.ListComp(generators=[one, *_]):
            return name_of(one.iter)
        case ast.Subscript(value=inner) | ast.Starred(inner) | ast.FormattedValue(value=inner):
            return name_of(inner)
        case ast.BinOp(left=inner) | ast.IfExp(body=inner) | ast.BoolOp(values=[inner, *_]):
            return name_of(inner)
        case _:
            return "value"


def _name_of_call(node: ast.Call) -> str:
    match node:
        case ast.Call(ast.Attribute(ast.Constant(), "join"), [one]):
            return name_of(one)
        case ast.Call(ast.Attribute(value, _), []):
            return name_of(value)
        case ast.Call(ast.Attribute(value, method)) if method in _PARTS:
            return name_of(value)
        case ast.Call(ast.Name("max" | "min"), values):
            return name_of(next((one for one in values if not isinstance(one, ast.Constant)), node.func))
        case ast.Call(ast.Name("map"), [_, one, *_]) | ast.Call(ast.Attribute(ast.Name("dict"), "fromkeys"), [one, *_]):
            return name_of(one)
        case ast.Call(ast.Name(name), [one, *_]) if name in _FORMS or name.startswith(("format", "_")):
            return name_of(one)
        case ast.Call(func, _):
            return name_of(func)


def _speaks(node: ast.AST) -> bool:
    """Does the name of what has the value say more than "value"?"""
    return isinstance(node, ast.Name | ast.Attribute) and bool(_NAME.fullmatch(name_of(node)))
