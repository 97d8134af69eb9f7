"""Collects the texts of the programs of a unit: what reaches a display, a log or an error, and all other sentences.

Two rules find them, so that neither has to be complete. The first follows what is passed to the functions that show
texts, and to errors. The second takes every other text of the source that is a sentence: as a part of another one.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tools.shown_texts.errors import ErrorSentences
from tools.shown_texts.kinds import Kind
from tools.shown_texts.program import Program, Scope, ancestors, dotted, keyword_or
from tools.shown_texts.wording import Resolver, Wording, bind, is_prose, returned


@dataclass(frozen=True)
class Unresolved:
    """A text whose wording the source does not show at this place. ``source``: the expression."""

    where: str
    source: str


@dataclass
class Texts:
    """``found``: kinds and programs of each template; ``places``: modules and functions."""

    found: dict[str, set[Kind]] = field(default_factory=lambda: defaultdict(set))
    programs: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    places: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unresolved: set[Unresolved] = field(default_factory=set)


_BUS = {"message": Kind.MESSAGE, "warning": Kind.WARNING, "error": Kind.ERROR, "log": Kind.LOG}
_Argument = tuple[int, str, Kind]
# Methods of the operator's port, and the parameters that are shown.
_OPERATOR: dict[str, tuple[_Argument, ...]] = {
    "confirm": ((0, "question", Kind.QUESTION),),
    "choose": ((0, "title", Kind.MENU), (1, "items", Kind.MENU)),
    "ask_secret": ((0, "prompt", Kind.PASSWORD),),
    "show_key_window": ((0, "text", Kind.SCREEN),),
}
_CLASSES: dict[str, tuple[_Argument, ...]] = {
    "MessageView": ((0, "text", Kind.SCREEN),),
    "KeyWindowView": ((0, "text", Kind.SCREEN),),
    "Choose": ((0, "title", Kind.MENU), (1, "items", Kind.MENU)),
    "Confirm": ((0, "question", Kind.QUESTION),),
    "GiveUp": ((0, "reason", Kind.ERROR),),
    "Problem": ((1, "message", Kind.PROBLEM),),
    "Difference": ((1, "message", Kind.PROBLEM),),
}
_SEVERITIES = {"MSG": Kind.MESSAGE, "WARNING": Kind.WARNING, "ERROR": Kind.ERROR}
# What describes operations of plans, which displays show while these run.
_OPERATIONS = "gprov.domain.plan."
# Enumerations whose values are shown.
_ENUMERATIONS = {"Item": Kind.MENU}
# Names of functions that do much else: their parameters are not followed.
_COMMON = {"run", "write", "add", "get", "read", "append", "call", "start", "request", "record", "finish"}


@dataclass
class Collector:
    program: Program
    texts: Texts = field(default_factory=Texts)
    used: set[ast.AST] = field(default_factory=set)
    # (name of a function, parameter) -> kinds that it shows.
    passing: dict[tuple[str, str], set[Kind]] = field(default_factory=lambda: defaultdict(set))

    def collect(self) -> Texts:
        before, all_calls = -1, tuple(calls(self.program))
        while before != (count := sum(map(len, self.passing.values()))):
            before = count
            for scope, call in all_calls:
                self._call(call, scope)
        for scope in self.program.scopes.values():
            if scope.function is not None and scope.function.name == "describe":
                self._descriptions(scope)
        for name in _ENUMERATIONS.keys() & self.program.classes.keys():
            self._members_of(name, _ENUMERATIONS[name])
        for module in self.program.modules:
            self._rest(module.tree, self.program.scopes[module.tree])
        return self.texts

    def _call(self, call: ast.Call, scope: Scope) -> None:
        receiver = dotted(call.func).rpartition(".")[0]
        last = _last(call.func)
        if last == "LogLine":
            self._log_line(call, scope)
        for position, parameter, kind in (*_shown_arguments(receiver, last, call), *_by_other_name(call.func, scope)):
            self._shown(keyword_or(call, position, parameter), kind, scope)
        if error := self._error_class(call, scope):
            self._error(error, call, scope)
        self._made_by(last, call, scope)
        self._passed_on(last, call, scope)

    def _made_by(self, name: str, call: ast.Call, scope: Scope) -> None:
        """Errors that a function returns, with the arguments of this call."""
        for function in self._called(name, scope):
            if function.function is None:
                continue
            inner = Resolver(self.program, scope).inside(function, call)
            for made in returned(function.function):
                if isinstance(made, ast.Call) and (kind := self._error_class(made, function)):
                    for wording in ErrorSentences(self.program).sentences(kind, made, inner):
                        self._add(wording, Kind.ERROR, scope)

    def _log_line(self, call: ast.Call, scope: Scope) -> None:
        severity = keyword_or(call, 1, "severity")
        kind = _SEVERITIES.get(dotted(severity).rpartition(".")[2], Kind.LOG) if severity is not None else Kind.LOG
        self._shown(keyword_or(call, 0, "text"), kind, scope)

    def _error_class(self, call: ast.Call, scope: Scope) -> str:
        """The error that a call makes, also by a name that stands for one of two classes; "" for other calls."""
        name = dotted(call.func).rpartition(".")[2]
        match _only(scope.assigned.get(name, [])):
            case ast.IfExp(body=ast.Name(first)):
                name = first
            case _:
                pass
        return name if name in self.program.errors else ""

    def _error(self, name: str, call: ast.Call, scope: Scope) -> None:
        resolver = Resolver(self.program, scope)
        for wording in ErrorSentences(self.program).sentences(name, call, resolver):
            self._add(wording, Kind.ERROR, scope)

    def _passed_on(self, name: str, call: ast.Call, scope: Scope) -> None:
        """Arguments for parameters that another function shows."""
        for function in self._called(name, scope):
            for parameter, value in bind(function.parameters, call):
                for kind in tuple(self.passing.get((name, parameter), ())):
                    self._shown(value, kind, scope, passed=True)

    def _called(self, name: str, scope: Scope) -> list[Scope]:
        """Functions of this name; a private one is of the same module."""
        found = self.program.functions.get(name, [])
        return [one for one in found if one.module is scope.module] if name.startswith("_") else found

    def _shown(self, value: ast.expr | None, kind: Kind, scope: Scope, *, passed: bool = False) -> None:
        """``passed``: to a function that shows it, and that may do so only as a part of another text."""
        if value is None:
            return
        for one in _members(value, scope):
            resolver = Resolver(self.program, scope)
            for wording in resolver.wordings(one):
                if not wording.passes_on and (kind is not Kind.PART or is_prose(wording.template)):
                    self._add(wording, kind, scope)
            self._note_parameters(one, kind, scope)
            lost = all(wording.passes_on for wording in resolver.wordings(one)) and not self._is_passed(one, scope)
            if lost and not passed and kind is not Kind.LOG:
                self.texts.unresolved.add(Unresolved(scope.where, ast.unparse(one)))

    def _note_parameters(self, value: ast.expr, kind: Kind, scope: Scope) -> None:
        """A parameter that is shown, alone or inside of a text, is shown where the function is called."""
        if scope.function is None or scope.function.name in _COMMON:
            return
        for node, inside in _names(value):
            if node.id in scope.parameters:
                name = scope.owner.name if scope.function.name == "__init__" and scope.owner else scope.function.name
                if inside and kind is not Kind.LOG:
                    self.passing[name, node.id].add(Kind.PART)
                elif not inside:
                    self.passing[name, node.id].add(kind)

    def _is_passed(self, value: ast.expr, scope: Scope) -> bool:
        """Is the text an error, whose sentence is found where it is made, or a parameter?"""
        match value:
            case ast.Call(ast.Name("str"), [one]):
                return self._is_passed(one, scope)
            case ast.Name(name):
                return name in scope.parameters or _is_error(name, scope, self.program)
            case ast.JoinedStr(values):
                return all(isinstance(one, ast.Constant) or self._is_passed(one, scope) for one in values)
            case ast.FormattedValue(inner):
                return self._is_passed(inner, scope)
            case ast.Call(func) if dotted(func).rpartition(".")[2] in self.program.errors:
                return True
            case _:
                return False

    def _descriptions(self, scope: Scope) -> None:
        if scope.function is None or not scope.module.name.startswith(_OPERATIONS):
            return
        for value in returned(scope.function):
            for wording in Resolver(self.program, scope).wordings(value):
                self._add(wording, Kind.OPERATION, scope)

    def _members_of(self, name: str, kind: Kind) -> None:
        scope = self.program.scopes[self.program.classes[name][0]]
        for values in scope.assigned.values():
            for value in values:
                if value is not None:
                    self._shown(value, kind, scope)

    def _rest(self, node: ast.AST, scope: Scope) -> None:
        """Sentences that the first rule has not found."""
        for child in ast.iter_child_nodes(node):
            inner = self.program.scopes.get(child, scope)
            if _is_not_shown(child):
                continue
            if isinstance(child, ast.Constant | ast.JoinedStr | ast.BinOp) and self._part(child, inner):
                continue
            self._rest(child, inner)

    def _part(self, node: ast.expr, scope: Scope) -> bool:
        """True if nothing inside of the node has to be looked at."""
        if node in self.used:
            return not isinstance(node, ast.JoinedStr | ast.BinOp)
        found = Resolver(self.program, scope).wordings(node)
        if not any(wording.nodes and is_prose(wording.template) for wording in found):
            return False
        for wording in found:
            if is_prose(wording.template):
                self._add(wording, Kind.PART, scope)
        return False

    def _add(self, wording: Wording, kind: Kind, scope: Scope) -> None:
        # What another function gives may be shown elsewhere, too.
        inline = frozenset(ast.walk(scope.function)) if scope.function is not None else None
        self.used |= wording.nodes if inline is None else wording.nodes & inline
        template = wording.template.strip()
        if wording.passes_on:
            return
        self.texts.found[template].add(kind)
        self.texts.programs[template].update(scope.module.programs)
        self.texts.places[template].add(scope.where)


def _last(func: ast.expr) -> str:
    """Name of a function, also of a method of what a call returns."""
    match func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _shown_arguments(receiver: str, name: str, call: ast.Call) -> tuple[_Argument, ...]:
    """Arguments that this call shows."""
    if receiver.endswith("bus") and name in _BUS:
        return ((0, "text", _BUS[name]),)
    if receiver.endswith("bus") and name == "progress":
        return ((0, "task", Kind.PROGRESS),)
    if name in ("_warn", "warn"):
        return ((0, "text", Kind.WARNING),)
    if name == "show" and (receiver.endswith("operator") or not receiver):
        return ((0, "text", Kind.SCREEN),)
    if name == "problem" and len(call.args) == 2:
        return ((1, "message", Kind.PROBLEM),)
    return (*_OPERATOR.get(name, ()), *_CLASSES.get(name, ()))


def _by_other_name(func: ast.expr, scope: Scope) -> Iterator[_Argument]:
    """Of a variable that stands for a method of the bus: ``report = bus.warning if lost else bus.log``."""
    if not isinstance(func, ast.Name):
        return
    for value in scope.assigned.get(func.id, []):
        for node in ast.walk(value) if value is not None else ():
            if isinstance(node, ast.Attribute) and dotted(node.value).endswith("bus") and node.attr in _BUS:
                yield 0, "text", _BUS[node.attr]


def calls(program: Program) -> Iterator[tuple[Scope, ast.Call]]:
    """All calls with the function or module that they are in."""

    def inside(node: ast.AST, scope: Scope) -> Iterator[tuple[Scope, ast.Call]]:
        for child in ast.iter_child_nodes(node):
            inner = program.scopes.get(child, scope)
            if isinstance(child, ast.Call):
                yield inner, child
            yield from inside(child, inner)

    for module in program.modules:
        yield from inside(module.tree, program.scopes[module.tree])


def _members(value: ast.expr, scope: Scope) -> Iterator[ast.expr]:
    """The texts of a list; else the text itself."""
    match value:
        case ast.List(members) | ast.Tuple(members):
            for member in members:
                yield from _members(member.value if isinstance(member, ast.Starred) else member, scope)
        case ast.Name(name) if isinstance(one := _only(scope.assigned.get(name, [])), ast.List | ast.Tuple):
            yield from _members(one, scope)
        case ast.Call(ast.Name("tuple" | "list"), [one]):
            yield from _members(one, scope)
        case ast.GeneratorExp(elt) | ast.ListComp(elt):
            yield elt
        case _:
            yield value


def _only(values: list[ast.expr | None]) -> ast.expr | None:
    return values[0] if len(values) == 1 else None


def _names(value: ast.expr) -> Iterator[tuple[ast.Name, bool]]:
    """Names that are shown, and whether they are inside of a longer text."""
    match value:
        case ast.Name():
            yield value, False
        case ast.JoinedStr(values):
            yield from ((name, True) for part in values for name, _ in _names(part))
        case ast.FormattedValue(inner):
            yield from _names(inner)
        case ast.Call(ast.Name("str"), [one]):
            yield from _names(one)
        case ast.BinOp(left, ast.Add(), right):
            yield from ((name, True) for part in (left, right) for name, _ in _names(part))
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_names(body), *_names(orelse))
        case _:
            pass


def _is_error(name: str, scope: Scope, program: Program) -> bool:
    """Is the name that of a caught exception, or annotated as an error?"""
    if scope.function is None:
        return False
    for node in ast.walk(scope.function):
        match node:
            case ast.ExceptHandler(name=caught) if caught == name:
                return True
            case ast.arg(arg=parameter, annotation=ast.expr() as kind) if parameter == name:
                return any(
                    one in program.errors or "Exception" in ancestors(program, one)
                    for one in (dotted(part).rpartition(".")[2] for part in ast.walk(kind))
                )
            case _:
                pass
    return False


def _is_not_shown(node: ast.AST) -> bool:
    """Docstrings, annotations, and what only programmers see."""
    match node:
        case ast.Expr(ast.Constant()):
            return True
        case ast.FunctionDef(name="__repr__"):
            return True
        case ast.Call(func) if dotted(func) in ("re.compile", "TypeVar", "cast"):
            return True
        case _:
            return False
