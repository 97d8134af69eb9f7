"""Prints what the module dataclasses makes of classes, for test_unit_modules.py."""

from __future__ import annotations

import contextlib
import copy
import importlib
import inspect
import pickle
import pkgutil
import sys
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, InitVar, asdict, astuple, dataclass, field, fields, is_dataclass, replace
from functools import partial
from operator import ge, gt, le, lt
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from typing_extensions import override

import gprov

T = TypeVar("T")


@dataclass
class Plain:
    a: int
    b: str = "b"
    shared: ClassVar[int] = 3
    c: list[int] = field(default_factory=list)
    d: int = field(default=4, init=False)
    e: list[int] = field(default_factory=lambda: [5], init=False, repr=False)


@dataclass(frozen=True, order=True)
class Ordered:
    a: int
    b: int = field(default=0, compare=False)
    secret: str = field(default="hidden", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots(Generic[T]):
    a: T
    b: int = field(default=7, init=False)
    c: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MoreSlots(Slots[int]):
    d: int = 9
    _: KW_ONLY
    e: str = "e"


@dataclass(slots=True)
class Changeable:
    a: int
    b: InitVar[int]
    c: int = 2

    def __post_init__(self, b: int) -> None:
        self.c += b


@dataclass(frozen=True)
class Checked:
    a: int

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("below 0")


@dataclass(eq=False)
class Identity:
    self: int = 0
    _set_: int = 1


@dataclass(unsafe_hash=True, init=False, repr=False, match_args=False)
class Own:
    a: int = 1
    b: int = field(default=2, hash=False)

    def __init__(self, text: str) -> None:
        self.a = len(text)

    @override
    def __repr__(self) -> str:
        return f"own {self.a}"


@dataclass
class Empty:
    pass


@dataclass
class OwnHash:
    a: int

    @override
    def __eq__(self, other: object) -> bool:
        return True

    @override
    def __hash__(self) -> int:
        return 1


class Base(ABC):
    @property
    @abstractmethod
    def value(self) -> int: ...


@dataclass(frozen=True)
class Concrete(Base):
    a: int

    @property
    @override
    def value(self) -> int:
        return self.a


@dataclass
class OwnInit:
    a: int

    def __init__(self, text: str) -> None:
        self.a = len(text)


@dataclass(frozen=True)
class Unhashable:
    a: int
    __hash__ = None  # type: ignore[assignment]


class Described(ABC):
    @override
    @abstractmethod
    def __repr__(self) -> str: ...


@dataclass
class Implicit(Described):
    a: int


class PlainSubclass(Ordered):
    def __init__(self) -> None:
        super().__init__(8)


@dataclass
class WithoutEnd:
    a: int


class LateEnd(WithoutEnd):
    """The decorator of the base did not see this method, so that ``__init__`` does not call it."""

    def __post_init__(self) -> None:
        self.a = 100


@dataclass(slots=True, weakref_slot=True)
class Referable:
    a: int


@dataclass
class Itself:
    other: object = None


class Pair(NamedTuple):
    a: object
    b: object


def result(make: Callable[[], object]) -> str:
    try:
        return repr(make())
    except (TypeError, AttributeError, ValueError) as error:
        # Classes of the other module have its name; addresses differ from process to process.
        return f"{type(error).__name__}: {error}"


def change(value: Any, name: str) -> object:
    value = copy.copy(value)
    setattr(value, name, 5)
    return value


def delete(value: Any, name: str) -> object:
    value = copy.copy(value)
    delattr(value, name)
    return vars(value) if hasattr(value, "__dict__") else "deleted"


def matched(value: object) -> object:
    match value:
        case Plain(a, b):
            return ("plain", a, b)
        case MoreSlots(d):
            return ("slots", d)
        case Ordered(a, b, secret):
            return ("ordered", a, b, secret)
        case _:
            return None


def behaviour_of(value: Any) -> Iterator[str]:
    yield f"{value!r} {is_dataclass(value)} {is_dataclass(type(value))} {matched(value)}"
    for function in (asdict, astuple, copy.copy, copy.deepcopy, replace, hash):
        if not (function is hash and type(value) is Identity):
            yield result(partial(function, value))
    yield result(lambda: pickle.loads(pickle.dumps(value)))
    for changes in ({"a": 6}, {"b": 6}, {"b": 1, "c": 6}):
        yield result(partial(replace, value, **changes))
    # With slots, the standard library's raises the wrong error for attributes that there are not (Python 3.11).
    for name in ("a", "b", *(["d", "unknown"] if hasattr(value, "__dict__") else [])):
        yield result(partial(change, value, name))
        yield result(partial(delete, value, name))
    yield str(sorted(set(dir(value)) & {"__dict__", "__slots__", "__getstate__", "__match_args__"}))


def behaviour() -> Iterator[str]:
    # Calls that a type checker would refuse are the point of many of these.
    made: Any = (
        Plain,
        Ordered,
        Slots,
        MoreSlots,
        Changeable,
        Checked,
        Identity,
        Own,
        Empty,
        OwnHash,
        Concrete,
        Itself,
        OwnInit,
        Unhashable,
        Implicit,
    )
    arguments: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((), {}), ((1,), {}), ((1, 2), {}), ((1, 2, 3, 4, 5), {}), ((), {"a": 1}), ((1,), {"a": 1}), ((-1,), {}),
        ((), {"a": 1, "b": 2}), ((), {"a": 1, "c": 2}), ((), {"a": 1, "e": "x"}), ((), {"unknown": 1}), (("text",), {}),
        ((2,), {"a": 3}), ((2,), {"a": 3, "e": "f"}), (([1],), {}), (({"k": Pair(Empty(), [Checked(4)])},), {}),
    ]  # fmt: skip
    objects: list[Any] = []
    for kind in made:
        for positional, named in arguments:
            yield f"{kind.__name__} {positional} {named}: {result(partial(kind, *positional, **named))}"
            with contextlib.suppress(TypeError, ValueError):
                objects.append(kind(*positional, **named))
    objects += [PlainSubclass(), Changeable(1, b=2), LateEnd(1), WithoutEnd(1), Referable(1)]
    yield str(weakref.ref(objects[-1])() is objects[-1])
    for value in objects:
        yield from behaviour_of(value)
    for left in objects:
        yield "".join(str(int(left == right)) for right in objects)
        for right in objects if isinstance(left, Ordered) else ():
            yield from (result(partial(compare, left, right)) for compare in (lt, le, gt, ge))
    itself = Itself()
    itself.other = [itself]
    yield repr(itself)
    no_dataclass: Any = 3
    yield from (result(partial(function, no_dataclass)) for function in (fields, replace, asdict, astuple))
    yield str([Slots.__qualname__, Slots.__module__, Plain(1).c is Plain(1).c, Plain.d, Plain.b, hasattr(Plain, "c")])


def shapes() -> Iterator[str]:
    """Fields, signatures and special methods of every dataclass of gprov that can be on a unit."""
    for info in pkgutil.walk_packages(gprov.__path__, "gprov."):
        if info.name.startswith(("gprov.apps.host", "gprov.apps.server", "gprov.adapters.fake")):
            continue
        module = importlib.import_module(info.name)
        for name, kind in vars(module).items():
            if isinstance(kind, type) and kind.__module__ == info.name and "__dataclass_fields__" in vars(kind):
                yield f"{info.name}.{name} {shape(kind)}"


def shape(kind: type[Any]) -> object:
    with contextlib.suppress(Exception):
        kind()  # with the module of units, the method is compiled now
    own = vars(kind)
    every = [
        (each.name, each.type, str(each.default), each.default_factory, each.init, each.repr, each.hash, each.compare)
        for each in fields(kind)
    ]
    shown = [
        (*each[:2], "MISSING" in each[2] or each[2].partition(" at ")[0], *map(_marked, each[3:])) for each in every
    ]
    methods = sorted(name for name in own if name.startswith("__") and name not in _OTHER)
    every_parameter = inspect.signature(kind.__init__).parameters.values()
    parameters = [(each.name, each.kind.name, each.default is not each.empty) for each in every_parameter]
    return shown, parameters[1:], methods, own["__match_args__"], own["__hash__"] is None, own.get("__slots__")


# Of the standard library's decorator: a text, parameters that only it reads, a remainder of the class without slots.
_OTHER = ("__doc__", "__dataclass_params__", "__weakref__")


def _marked(value: object) -> object:
    return value if isinstance(value, bool) or value is None else ("MISSING" if "MISSING" in repr(value) else "factory")


if __name__ == "__main__":
    for line in shapes() if sys.argv[1] == "shapes" else behaviour():
        print(line.replace("dataclasses.", ""))
