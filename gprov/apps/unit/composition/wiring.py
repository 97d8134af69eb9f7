"""dependency_injector's containers with types.

The stubs of dependency_injector take and return Any nearly everywhere: any provider may be passed for any other. Here
the same objects are declared with the type of the object that they make. A provider is declared with a function that
makes the object. If the function needs other objects, it takes the container. Its return type is the provider's type:

    def _log(example: Example) -> Log:
        from heavy import FileLog  # not imported before the first log is made

        return FileLog(clock=example.clock())

    class Example(Container):
        clock = singleton(_clock)
        log = singleton(_log, itself)

    set_value(Example().clock, FakeClock())
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast, overload

from dependency_injector import containers, providers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractContextManager
    from typing import ClassVar, Generic

T = TypeVar("T")
C = TypeVar("C", bound="Container")

if TYPE_CHECKING:
    C_contra = TypeVar("C_contra", bound="Container", contravariant=True)

    class Replaceable(Generic[T]):
        """A provider of a container or of its class: argument of ``set_value``, ``override`` and ``wrap``."""

    class Declaration(Replaceable[T], Generic[C_contra, T]):
        """A provider of a container's class. Only that of an instance can be called: it has the other objects."""

        @overload
        def __get__(self, instance: None, owner: type[Container]) -> Declaration[C_contra, T]: ...
        @overload
        def __get__(self, instance: C_contra, owner: type[Container]) -> Provider[T]: ...
        def __get__(self, instance: C_contra | None, owner: type[Container]) -> Replaceable[T]: ...

    class Provider(Replaceable[T]):
        """A provider of a container's instance: a call returns the object."""

        def __call__(self) -> T: ...
        @property
        def overridden(self) -> tuple[object, ...]:
            """Providers that replace this one; the last one is used."""

    class Itself:
        """Type of ``itself``."""

    class Container:
        """Has only the attributes that are declared. (In the stubs, it has any attribute.)"""

        providers: ClassVar[Mapping[str, Replaceable[object]]]

    itself = Itself()

else:
    Replaceable = Declaration = Provider = providers.Provider
    # In a declaration: the function takes the container. Each instance has its own copy of this provider.
    itself = providers.Object()

    class Container(containers.DeclarativeContainer):
        itself = itself

        def __new__(cls):
            container = super().__new__(cls)
            container.itself.set_provides(container)
            return container


def value(made: T) -> Declaration[Container, T]:
    """Declare an object that exists already."""
    return cast("Declaration[Container, T]", providers.Object(made))


@overload
def singleton(build: Callable[[], T], /) -> Declaration[Container, T]: ...
@overload
def singleton(build: Callable[[C], T], container: Itself, /) -> Declaration[C, T]: ...
def singleton(build: Callable[..., T], /, *container: Itself) -> Declaration[C, T]:
    """Declare an object that is made once, at the first call."""
    return cast("Declaration[C, T]", providers.Singleton(build, *container))


@overload
def factory(build: Callable[[], T], /) -> Declaration[Container, T]: ...
@overload
def factory(build: Callable[[C], T], container: Itself, /) -> Declaration[C, T]: ...
def factory(build: Callable[..., T], /, *container: Itself) -> Declaration[C, T]:
    """Declare an object that each call makes anew."""
    return cast("Declaration[C, T]", providers.Factory(build, *container))


def set_value(target: Replaceable[T], new: T) -> AbstractContextManager[object]:
    """Replace the object; as a context manager, until the end of the context."""
    return _override(target, providers.Object(new))


def override(target: Replaceable[T], build: Callable[[], T]) -> AbstractContextManager[object]:
    """Replace the function that makes the object, or the provider by another one; as a context manager, until the end
    of the context. With a function, the object is made once or at each call, as declared."""
    new = build if isinstance(build, providers.Provider) else _like(target)(build)
    return _override(target, new)


def wrap(target: Replaceable[T], around: Callable[[T], T]) -> AbstractContextManager[object]:
    """Replace the object by ``around(object)``; as a context manager, until the end of the context. To be called before
    the object is first made: an object that was made before stays unwrapped."""
    provider = cast("providers.Provider[T]", target)
    original = provider.last_overriding or _unwrapped(provider)
    return _override(target, _like(target)(around, original))


def share(declared_by: type[C], source: C, target: C, but: Collection[str] = ()) -> None:
    """Make ``target`` use the objects of ``source``: those of all providers of ``declared_by`` except ``but``."""
    for name in declared_by.providers:
        if name != "itself" and name not in but:
            _override(target.providers[name], cast("providers.Provider[object]", source.providers[name]))


def _override(target: Replaceable[T], new: providers.Provider[T]) -> AbstractContextManager[object]:
    return cast("providers.Provider[T]", target).override(new)


def _like(target: Replaceable[T]) -> type[providers.Factory[T] | providers.Singleton[T]]:
    return providers.Factory if isinstance(target, providers.Factory) else providers.Singleton


def _unwrapped(provider: providers.Provider[T]) -> providers.Provider[T]:
    """A provider of the same object with the same arguments that is not overridden."""
    if isinstance(provider, providers.Factory | providers.Singleton):
        return type(provider)(provider.provides, *provider.args, **provider.kwargs)
    return providers.Object(cast("providers.Object[T]", provider).provides)
