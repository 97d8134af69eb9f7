"""Index of the modules of a unit: constants, functions and classes by name, as far as texts need them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.shown_texts.sources import Module

if TYPE_CHECKING:
    from tools.shown_texts.wording import Wording

Function = ast.FunctionDef | ast.AsyncFunctionDef
ERROR_ROOT = "GprovError"


@dataclass(eq=False, kw_only=True)
class Scope:
    """One function, or a module outside of its functions. ``assigned``: expressions that a name gets; None stands for
    one that is not known, such as a parameter."""

    module: Module
    function: Function | None = None
    owner: ast.ClassDef | None = None
    assigned: dict[str, list[ast.expr | None]] = field(default_factory=lambda: defaultdict(list))
    added: dict[str, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    parameters: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        names = [one.name for one in (self.owner, self.function) if one is not None]
        return ".".join([self.module.name, *names])


@dataclass(eq=False, kw_only=True)
class Program:
    """``functions``: by bare name, over all modules. ``scopes``: of each function and module."""

    modules: tuple[Module, ...]
    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    functions: dict[str, list[Scope]] = field(default_factory=lambda: defaultdict(list))
    classes: dict[str, tuple[ast.ClassDef, Scope]] = field(default_factory=dict)
    errors: frozenset[str] = frozenset()
    imported: dict[ast.Module, dict[str, tuple[str, str]]] = field(default_factory=dict)
    by_name: dict[str, Scope] = field(default_factory=dict)
    # Wordings that were found before, by scope, expression and depth.
    known: dict[tuple[Scope, ast.expr, int], tuple[Wording, ...]] = field(default_factory=dict)

    def module_scope(self, scope: Scope) -> Scope:
        return self.scopes[scope.module.tree]

    def named(self, name: str) -> Scope | None:
        """The module scope of a module."""
        return self.by_name.get(name)


def index(modules: tuple[Module, ...]) -> Program:
    program = Program(modules=modules)
    for module in modules:
        _index_body(program, module.tree, Scope(module=module), None)
        program.imported[module.tree] = imports(module.tree)
        program.by_name[module.name] = program.scopes[module.tree]
    program.errors = frozenset(name for name in program.classes if ERROR_ROOT in ancestors(program, name))
    return program


def ancestors(program: Program, name: str) -> Iterator[str]:
    """A class and its base classes, as far as they are known."""
    yield name
    if name in program.classes:
        for base in program.classes[name][0].bases:
            yield from ancestors(program, dotted(base).rpartition(".")[2])


def dotted(node: ast.AST) -> str:
    """ "a.b.c" of a name or attribute; "" of anything else."""
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(value, attr):
            before = dotted(value)
            return f"{before}.{attr}" if before else attr
        case _:
            return ""


def parameters(function: Function) -> tuple[str, ...]:
    """In the order of positional arguments, then those by name; without self."""
    arguments = function.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return tuple(names[1:] if names and names[0] in ("self", "cls") else names)


def _index_body(program: Program, node: ast.AST, scope: Scope, owner: ast.ClassDef | None) -> None:
    program.scopes[node] = scope
    for child in _statements(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                inner = Scope(module=scope.module, function=child, owner=owner, parameters=parameters(child))
                for name in inner.parameters:
                    inner.assigned[name].append(None)
                program.functions[child.name].append(inner)
                _index_body(program, child, inner, None)
            case ast.ClassDef():
                program.classes.setdefault(child.name, (child, scope))
                _index_body(program, child, Scope(module=scope.module, owner=child), child)
            case _:
                _index_statement(child, scope)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes inside, but not inside of functions and classes inside, which are yielded themselves."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, Function | ast.ClassDef):
            yield from _statements(child)


def _index_statement(node: ast.AST, scope: Scope) -> None:
    match node:
        case ast.Assign(targets, value):
            for target in targets:
                _assign(target, value, scope)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _assign(target, value, scope)
        case ast.NamedExpr(target, value):
            _assign(target, value, scope)
        case ast.AugAssign(ast.Name(name), ast.Add(), value):
            scope.added[name].append(value)
        case ast.For(target=target, iter=iterated) | ast.comprehension(target=target, iter=iterated):
            _assign_each(target, iterated, scope)
        case ast.ExceptHandler(name=str(name)):
            scope.assigned[name].append(None)
        case ast.withitem(optional_vars=ast.expr() as target):
            _assign_unknown(target, scope)
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            scope.assigned[name].append(None)
        case _:
            pass


def _assign(target: ast.expr, value: ast.expr, scope: Scope) -> None:
    match target, value:
        case ast.Name(name), _:
            scope.assigned[name].append(value)
        case ast.Tuple(targets), ast.Tuple(values) if len(targets) == len(values):
            for one, its in zip(targets, values, strict=True):
                _assign(one, its, scope)
        case ast.Tuple(targets), ast.IfExp(body=ast.Tuple() as first, orelse=ast.Tuple() as second):
            _assign(target, first, scope)
            _assign(target, second, scope)
        case _:
            _assign_unknown(target, scope)


def _assign_each(target: ast.expr, iterated: ast.expr, scope: Scope) -> None:
    if isinstance(iterated, ast.Tuple | ast.List) and not any(isinstance(one, ast.Starred) for one in iterated.elts):
        for one in iterated.elts:
            _assign(target, one, scope)
    else:
        _assign_unknown(target, scope)


def _assign_unknown(target: ast.expr, scope: Scope) -> None:
    for node in ast.walk(target):
        if isinstance(node, ast.Name):
            scope.assigned[node.id].append(None)


def imports(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Local name -> module and name there."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def keyword_or(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """Argument of a call by position or name."""
    if position < len(call.args):
        return call.args[position]
    return next((one.value for one in call.keywords if one.arg == name), None)


def flat(found: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(one for inner in found for one in inner)
