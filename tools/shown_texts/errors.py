"""Sentences of errors: the sentence of the class, with the arguments of the call put in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tools.shown_texts.program import ERROR_ROOT, Function, Program, dotted, parameters
from tools.shown_texts.wording import Resolver, Wording, bind

# Their sentences are made of problems, which are texts of their own.
_OF_PROBLEMS = "BadInput"


@dataclass(frozen=True)
class ErrorSentences:
    program: Program

    def sentences(self, name: str, call: ast.Call, resolver: Resolver) -> tuple[Wording, ...]:
        """Sentences of ``name(…)``, with the wordings of the arguments."""
        found = self._initialiser(name)
        if found is None or name == _OF_PROBLEMS:
            return ()
        owner, function = found
        bound = {key: resolver.wordings(value) for key, value in bind(parameters(function), call)}
        return self._sentences(owner, function, bound)

    def _sentences(self, owner: str, function: Function, bound: dict[str, tuple[Wording, ...]]) -> tuple[Wording, ...]:
        if owner == ERROR_ROOT:
            return bound.get(parameters(function)[0], ())
        scope = self.program.scopes[function]
        for name, default in _defaults(function):
            bound.setdefault(name, Resolver(self.program, scope).wordings(default))
        inner = Resolver(self.program, scope, tuple(bound.items()))
        found: list[Wording] = []
        for call in _calls_of_super(function):
            above = self._initialiser_above(owner)
            if above is not None:
                arguments = {key: inner.wordings(value) for key, value in bind(parameters(above[1]), call)}
                found += self._sentences(*above, arguments)
        return tuple(found)

    def _initialiser(self, name: str) -> tuple[str, Function] | None:
        """The class that has the constructor of a class, and this constructor."""
        body, _ = self.program.classes[name]
        for one in body.body:
            if isinstance(one, Function) and one.name == "__init__":
                return name, one
        return self._initialiser_above(name)

    def _initialiser_above(self, name: str) -> tuple[str, Function] | None:
        for base in self.program.classes[name][0].bases:
            above = dotted(base).rpartition(".")[2]
            if above in self.program.errors:
                return self._initialiser(above)
        return None


def _calls_of_super(function: Function) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        match node:
            case ast.Call(ast.Attribute(ast.Call(ast.Name("super")), "__init__")):
                yield node
            case _:
                pass


def _defaults(function: Function) -> Iterator[tuple[str, ast.expr]]:
    positional = function.args.args
    for one, default in zip(
        positional[len(positional) - len(function.args.defaults) :], function.args.defaults, strict=True
    ):
        yield one.arg, default
    for one, keyword in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if keyword is not None:
            yield one.arg, keyword
