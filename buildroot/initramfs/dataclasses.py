"""dataclasses for a unit: the same classes for a fraction of the work.

The standard library's decorator compiles up to ten functions for each class, and imports inspect for their signature.
That was more than half of all that a normal boot did before the hand-over. Here ``__init__`` is compiled at its first
call, since a boot makes objects of few of the classes that it imports, and all other methods are closures.

A definition that the standard library refuses is not noticed here: it does not get past the tests, which use the
standard library. There is no ``make_dataclass``, and gprov build refuses modules that import it.
"""

import abc
from operator import attrgetter, eq, ge, gt, le, lt

_FIELDS = "__dataclass_fields__"
_POST_INIT = "__post_init__"


class FrozenInstanceError(AttributeError):
    """An attribute of a frozen object was to be changed."""


class _Mark:
    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return self._name


MISSING = _Mark("MISSING")
KW_ONLY = _Mark("KW_ONLY")
# Default of a parameter of ``__init__`` whose field has a factory.
_FACTORY = _Mark("<factory>")
# Kinds of fields. Those of ``__init__`` only are no attributes.
_ATTRIBUTE, _INIT_ONLY = _Mark("attribute"), _Mark("init only")


class InitVar:
    """Annotation of a parameter of ``__init__`` that is passed to ``__post_init__``."""

    def __class_getitem__(cls, _type):
        return cls()


class Field:
    """A field, as ``fields`` returns it."""

    __slots__ = (
        "compare", "default", "default_factory", "hash", "init", "kind", "kw_only", "metadata", "name", "repr", "type",
    )  # fmt: skip

    def __init__(self, default, default_factory, init, repr, hash, compare, metadata, kw_only):  # noqa: A002
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = repr
        self.hash = hash
        self.compare = compare
        self.metadata = metadata or {}
        self.kw_only = kw_only
        self.kind = _ATTRIBUTE

    @property
    def has_default(self):
        return self.default is not MISSING or self.default_factory is not MISSING


_MEMBER_DESCRIPTOR = type(Field.name)


def field(
    *,
    default=MISSING,
    default_factory=MISSING,
    init=True,
    repr=True,  # noqa: A002
    hash=None,  # noqa: A002
    compare=True,
    metadata=None,
    kw_only=MISSING,
):
    return Field(default, default_factory, init, repr, hash, compare, metadata, kw_only)


def dataclass(
    cls=None,
    /,
    *,
    init=True,
    repr=True,  # noqa: A002
    eq=True,
    order=False,
    unsafe_hash=False,
    frozen=False,
    match_args=True,
    kw_only=False,
    slots=False,
    weakref_slot=False,
):
    def decorate(cls):
        every = _collect(cls, kw_only)
        added = {}
        if init:
            added["__init__"] = _init_at_first_call(cls, list(every.values()), frozen, slots)
        if match_args:
            added["__match_args__"] = tuple(one.name for one in every.values() if one.init and not one.kw_only)
        added = {name: value for name, value in added.items() if name not in cls.__dict__}
        added[_FIELDS] = every
        attributes = [one for one in every.values() if one.kind is _ATTRIBUTE]
        added |= _special_methods(cls.__dict__, attributes, repr, eq, order, frozen)
        added |= _hash_method(cls.__dict__, attributes, eq, frozen, unsafe_hash)
        if slots:
            return _with_slots(cls, [one.name for one in attributes], added, frozen, weakref_slot)
        for name, value in added.items():
            setattr(cls, name, value)
        return abc.update_abstractmethods(cls)

    return decorate if cls is None else decorate(cls)


def fields(class_or_object):
    try:
        every = getattr(class_or_object, _FIELDS)
    except AttributeError:
        raise TypeError("must be called with a dataclass type or instance") from None
    return tuple(one for one in every.values() if one.kind is _ATTRIBUTE)


def is_dataclass(class_or_object):
    return hasattr(class_or_object if isinstance(class_or_object, type) else type(class_or_object), _FIELDS)


def replace(instance, /, **changes):
    if not hasattr(type(instance), _FIELDS):
        raise TypeError("replace() should be called on dataclass instances")
    for one in getattr(instance, _FIELDS).values():
        if not one.init:
            if one.name in changes:
                raise ValueError(f"field {one.name} is declared with init=False, it cannot be specified with replace()")
        elif one.name not in changes:
            if one.kind is _INIT_ONLY and one.default is MISSING:
                raise ValueError(f"InitVar {one.name!r} must be specified with replace()")
            changes[one.name] = getattr(instance, one.name)
    return type(instance)(**changes)


def asdict(instance, *, dict_factory=dict):
    if not hasattr(type(instance), _FIELDS):
        raise TypeError("asdict() should be called on dataclass instances")
    return _converted(instance, dict_factory)


def astuple(instance, *, tuple_factory=tuple):
    if not hasattr(type(instance), _FIELDS):
        raise TypeError("astuple() should be called on dataclass instances")
    return _converted(instance, lambda pairs: tuple_factory([value for _, value in pairs]))


def _collect(cls, kw_only):
    """All fields by name: inherited ones, then those of the annotations of this class."""
    found = {}
    for base in cls.__mro__[-1:0:-1]:
        found.update(base.__dict__.get(_FIELDS, ()))
    own = cls.__dict__
    for name, annotation in own.get("__annotations__", {}).items():
        word = _annotated_with(annotation)
        if word == "KW_ONLY":
            kw_only = True
        elif word != "ClassVar":
            found[name] = _field_of(cls, name, annotation, kw_only)
            if word == "InitVar":
                found[name].kind = _INIT_ONLY
    return found


def _annotated_with(annotation):
    """The last part of its name, without arguments: "ClassVar" of ``typing.ClassVar[int]``."""
    if not isinstance(annotation, str):
        annotation = annotation.__name__ if isinstance(annotation, type) else repr(annotation)
        if annotation.startswith(f"<{__name__}.InitVar "):
            return "InitVar"
    return annotation.partition("[")[0].rpartition(".")[2].strip()


def _field_of(cls, name, annotation, kw_only):
    default = cls.__dict__.get(name, MISSING)
    if isinstance(default, Field):
        one = default
        if one.default is MISSING:
            delattr(cls, name)
        else:
            setattr(cls, name, one.default)
    else:
        one = field(default=MISSING if isinstance(default, _MEMBER_DESCRIPTOR) else default)
    one.name, one.type = name, annotation
    if one.kw_only is MISSING:
        one.kw_only = kw_only
    return one


def _special_methods(own, attributes, repr, eq, order, frozen):  # noqa: A002
    added = {}
    if repr and "__repr__" not in own:
        added["__repr__"] = _repr_of([one.name for one in attributes if one.repr])
    compared = _values([one.name for one in attributes if one.compare])
    if eq and "__eq__" not in own:
        added["__eq__"] = _comparison(compared, "__eq__")
    if order:
        added.update((name, _comparison(compared, name)) for name in _OPERATORS if name != "__eq__")
    if frozen:
        added["__setattr__"], added["__delattr__"] = _set_frozen, _delete_frozen
    return added


def _hash_method(own, attributes, eq, frozen, unsafe_hash):
    explicit = own.get("__hash__") is not None or ("__hash__" in own and "__eq__" not in own)
    if unsafe_hash or (eq and frozen and not explicit):
        hashed = [one.name for one in attributes if (one.compare if one.hash is None else one.hash)]
        return {"__hash__": _hash_of(_values(hashed))}
    return {"__hash__": None} if eq and not explicit else {}


def _init_at_first_call(cls, every, frozen, slots):
    name = f"{cls.__qualname__}.__init__"
    made = None
    post_init = hasattr(cls, _POST_INIT)

    def __init__(self, /, *args, **kwargs):  # noqa: N807
        nonlocal made
        if made is None:
            made = _compile_init(every, frozen, slots, post_init=post_init)
            made.__qualname__ = name
            for owner in type(self).__mro__:
                if owner.__dict__.get("__init__") is __init__:
                    owner.__init__ = made
        made(self, *args, **kwargs)

    __init__.__qualname__ = name
    return __init__


def _compile_init(every, frozen, slots, *, post_init):
    """The names of a field's default and factory in the function cannot be names of parameters."""
    names = {"_set_": object.__setattr__, "_FACTORY_": _FACTORY}
    positional, keyword, lines = [], [], []
    for one in every:
        name, factory, default = one.name, f"_factory_{one.name}_", f"_default_{one.name}_"
        value = name
        if one.default_factory is not MISSING:
            names[factory] = one.default_factory
            value = f"{factory}() if {name} is _FACTORY_ else {name}" if one.init else f"{factory}()"
        elif one.default is not MISSING:
            names[default] = one.default
            if not one.init:
                value = default if slots else None
        elif not one.init:
            value = None
        if one.init:
            text = f"{name}={default if one.default is not MISSING else '_FACTORY_'}" if one.has_default else name
            (keyword if one.kw_only else positional).append(text)
        if value is not None and one.kind is _ATTRIBUTE:
            lines.append(f"_set_(_self_, {name!r}, {value})" if frozen else f"_self_.{name} = {value}")
    if post_init:
        lines.append(f"_self_.{_POST_INIT}({', '.join(one.name for one in every if one.kind is _INIT_ONLY)})")
    parameters = ", ".join(["_self_", *positional, *(["*", *keyword] if keyword else [])])
    exec(f"def __init__({parameters}):\n " + "\n ".join(lines or ["pass"]), names)  # noqa: S102
    return names["__init__"]


def _values(names):
    """A function that returns the tuple of these attributes."""
    if len(names) > 1:
        return attrgetter(*names)
    get = attrgetter(*names) if names else None
    return lambda self: (get(self),) if get is not None else ()


_OPERATORS = {"__eq__": eq, "__lt__": lt, "__le__": le, "__gt__": gt, "__ge__": ge}


def _comparison(values, name):
    compare = _OPERATORS[name]

    def compared(self, other):
        return compare(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented

    return compared


def _hash_of(values):
    return lambda self: hash(values(self))


def _repr_of(names):
    shown = set()  # objects of which the text is being made: an object may contain itself

    def __repr__(self):  # noqa: N807
        if id(self) in shown:
            return "..."
        shown.add(id(self))
        try:
            return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"
        finally:
            shown.discard(id(self))

    return __repr__


def _is_frozen(instance, name):
    return _FIELDS in type(instance).__dict__ or name in getattr(instance, _FIELDS)


def _set_frozen(self, name, value):
    if _is_frozen(self, name):
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _delete_frozen(self, name):
    if _is_frozen(self, name):
        raise FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _with_slots(cls, names, added, frozen, weakref_slot):
    """A class is made with its slots, so it is made once more."""
    inherited = {slot for base in cls.__mro__[1:-1] for slot in _slots_of(base)}
    namespace = {name: value for name, value in cls.__dict__.items() if name not in names} | added
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    slots = (*names, "__weakref__") if weakref_slot else names
    namespace["__slots__"] = tuple(name for name in slots if name not in inherited)
    if frozen:
        namespace.setdefault("__getstate__", _get_state)
        namespace.setdefault("__setstate__", _set_state)
    made = type(cls)(cls.__name__, cls.__bases__, namespace)
    made.__qualname__ = cls.__qualname__
    return made


def _slots_of(base):
    slots = base.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def _get_state(self):
    return [getattr(self, one.name) for one in fields(self)]


def _set_state(self, state):
    for one, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)


def _converted(value, make):
    """``make``: of the names and converted values of an object's fields."""
    if hasattr(type(value), _FIELDS):
        return make([(one.name, _converted(getattr(value, one.name), make)) for one in fields(value)])
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[_converted(each, make) for each in value])
    if isinstance(value, list | tuple):
        return type(value)(_converted(each, make) for each in value)
    if isinstance(value, dict):
        return type(value)((_converted(key, make), _converted(each, make)) for key, each in value.items())
    from copy import deepcopy

    return deepcopy(value)
