"""dependency_injector's containers, as a type checker should see them.

The stubs of dependency_injector take and give Any nearly everywhere: any provider may be passed for any other. Here the
same objects are declared with the type of what they make, so that a wrong one is a type error. At run time nothing is
added: ``Container`` is its DeclarativeContainer, ``Provider`` its Provider.

    class Example(Container):
        clock = singleton(_clock)                          # def _clock() -> Clock: import and make the adapter
        log = lazy_factory(_log, clock=inject(clock))      # def _log() -> type[Log]: import and return the class

    set_value(Example().clock, FakeClock())
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar, cast, overload

from dependency_injector import containers, providers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractContextManager
    from typing import ClassVar

T = TypeVar("T")
P = ParamSpec("P")

if TYPE_CHECKING:

    class Declaration(Generic[T]):
        """A provider as a container's class declares it. Only a container's instance has providers that can be called:
        else a declaration could be passed, without ``deferred``, for a function that makes the object."""

        @overload
        def __get__(self, instance: None, owner: type[Container]) -> Declaration[T]: ...
        @overload
        def __get__(self, instance: Container, owner: type[Container]) -> Provider[T]: ...
        def __get__(self, instance: Container | None, owner: type[Container]) -> Declaration[T]: ...

    class Provider(Declaration[T]):
        """A provider of a container's instance."""

        def __call__(self) -> T:
            """The object; a new one with each call if it was declared with ``factory``."""

        @property
        def overridden(self) -> tuple[object, ...]:
            """What was put over it, the last one counts."""

    class Container:
        """Has no other attributes than those declared. (The stubs give any name that is asked for.)"""

        providers: ClassVar[Mapping[str, Declaration[object]]]

else:
    Declaration = Provider = providers.Provider
    Container = containers.DeclarativeContainer

C = TypeVar("C", bound="Container")


def value(made: T) -> Declaration[T]:
    """Declare an object that is there already."""
    return cast("Declaration[T]", providers.Object(made))


def singleton(build: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Declaration[T]:
    """Declare an object that is made once, when it is first asked for, by ``build`` with these arguments."""
    return cast("Declaration[T]", providers.Singleton(build, *args, **kwargs))


def factory(build: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Declaration[T]:
    """Declare an object that is made anew whenever it is asked for, by ``build`` with these arguments."""
    return cast("Declaration[T]", providers.Factory(build, *args, **kwargs))


def lazy_factory(load: Callable[[], Callable[P, T]], *args: P.args, **kwargs: P.kwargs) -> Declaration[T]:
    """Like ``factory``, of the class that ``load`` imports and returns. That is when it is first needed: a normal boot
    uses little of what its container declares, and each import is time on every boot."""

    def build(*args: P.args, **kwargs: P.kwargs) -> T:
        return load()(*args, **kwargs)

    return factory(build, *args, **kwargs)


def inject(declaration: Declaration[T]) -> T:
    """As an argument of ``singleton`` or ``factory``: what this provider makes. A type checker sees the object, while
    it is the provider, in whose place dependency_injector puts the object later. Of no use anywhere else."""
    return cast(T, declaration)


def deferred(declaration: Declaration[T]) -> Callable[[], T]:
    """Like ``inject``, but what is passed is a function that makes the object when called."""
    return cast("Callable[[], T]", cast("providers.Provider[T]", declaration).provider)


def set_value(target: Declaration[T], new: T) -> AbstractContextManager[object]:
    """Use this object instead of what was declared; until the end of the context, if used as one."""
    return _override(target, providers.Object(new))


def override(target: Declaration[T], build: Callable[[], T]) -> AbstractContextManager[object]:
    """Use what ``build`` makes, or another provider, instead; until the end of the context, if used as one. It is made
    once, or anew each time, as declared."""
    new = build if isinstance(build, providers.Provider) else _like(target)(build)
    return _override(target, new)


def wrap(target: Declaration[T], around: Callable[[T], T]) -> AbstractContextManager[object]:
    """Use what ``around`` makes of the object that was used so far; until the end of the context, if used as one. Wrap
    before anything asked for the object: that would keep, or be, an object that is not wrapped."""
    provider = cast("providers.Provider[T]", target)
    original = provider.last_overriding or _unwrapped(provider)
    return _override(target, _like(target)(around, original))


def share(declared_by: type[C], source: C, target: C, but: Collection[str] = ()) -> None:
    """Let ``target`` use the very objects of ``source``: of all providers that ``declared_by`` has, but for some."""
    for name in declared_by.providers:
        if name not in but:
            _override(target.providers[name], cast("providers.Provider[object]", source.providers[name]))


def _override(target: Declaration[T], new: providers.Provider[T]) -> AbstractContextManager[object]:
    return cast("providers.Provider[T]", target).override(new)


def _like(target: Declaration[T]) -> type[providers.Factory[T] | providers.Singleton[T]]:
    return providers.Factory if isinstance(target, providers.Factory) else providers.Singleton


def _unwrapped(provider: providers.Provider[T]) -> providers.Provider[T]:
    """A provider of the same object, made with the same providers, but one that is not overridden."""
    if isinstance(provider, providers.Factory | providers.Singleton):
        return type(provider)(provider.provides, *provider.args, **provider.kwargs)
    return providers.Object(cast("providers.Object[T]", provider).provides)
