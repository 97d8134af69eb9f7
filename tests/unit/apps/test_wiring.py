"""Declaring, replacing, wrapping and sharing what containers make."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dependency_injector import providers
from typing_extensions import override as overrides

from gprov.apps.unit.composition.wiring import (
    Container,
    factory,
    itself,
    override,
    set_value,
    share,
    singleton,
    value,
    wrap,
)


class Greeter(Protocol):
    def greet(self) -> str: ...


@dataclass
class Plain(Greeter):
    name: str

    @overrides
    def greet(self) -> str:
        return f"hello {self.name}"


@dataclass
class Louder(Greeter):
    inner: Greeter

    @overrides
    def greet(self) -> str:
        return f"{self.inner.greet()}!"


@dataclass(frozen=True, kw_only=True)
class Hall:
    """``again`` makes one more whenever it is called."""

    greeter: Greeter
    again: Callable[[], Greeter]


MADE: list[str] = []


def _greeter(example: Example) -> Greeter:
    MADE.append(example.name())
    return Plain(example.name())


def _fresh(example: Example) -> Greeter:
    return Plain(example.name())


def _hall(example: Example) -> Hall:
    return Hall(greeter=example.greeter(), again=example.fresh)


def _outer(derived: Derived) -> Hall:
    return Hall(greeter=derived.hall().greeter, again=derived.greeter)


class Example(Container):
    name = value("you")
    greeter = singleton(_greeter, itself)
    fresh = factory(_fresh, itself)
    hall = factory(_hall, itself)


class Derived(Example):
    outer = factory(_outer, itself)


def test_singletons_are_made_once_and_factories_make_anew() -> None:
    container = Example()
    assert container.greeter() is container.greeter()
    assert container.greeter() is not Example().greeter()
    assert container.fresh() is not container.fresh()
    hall = container.hall()
    assert hall.greeter is container.greeter()
    assert hall.again() == Plain("you")


def test_a_value_reaches_what_is_made_of_it() -> None:
    container = Example()
    set_value(container.name, "all")
    assert container.hall().greeter.greet() == "hello all"
    assert Example().hall().greeter.greet() == "hello you"


def test_an_override_is_made_as_often_as_was_declared() -> None:
    container = Example()
    override(container.greeter, lambda: Plain("me"))
    override(container.fresh, lambda: Plain("us"))
    assert container.hall().greeter is container.greeter()
    assert container.greeter().greet() == "hello me"
    assert container.fresh() is not container.fresh()


def test_another_provider_can_be_the_override() -> None:
    container = Example()
    override(container.greeter, container.fresh)
    assert container.greeter() is not container.greeter()


def test_wrapping_needs_neither_name_nor_arguments_of_what_is_wrapped() -> None:
    container = Example()
    MADE.clear()
    wrap(container.greeter, Louder)
    assert container.hall().greeter.greet() == "hello you!"
    assert container.greeter() is container.greeter()
    assert MADE == ["you"]


def test_wrapped_objects_are_made_of_what_else_was_replaced_before_or_after() -> None:
    container = Example()
    wrap(container.greeter, lambda original: Louder(original))
    set_value(container.name, "all")
    wrap(container.fresh, Louder)
    assert container.greeter().greet() == "hello all!"
    assert container.fresh().greet() == "hello all!"
    assert container.fresh() is not container.fresh()


def test_wraps_and_overrides_add_up_in_their_order() -> None:
    container = Example()
    wrap(container.greeter, Louder)
    wrap(container.greeter, Louder)
    assert container.greeter().greet() == "hello you!!"
    override(container.greeter, lambda: Plain("me"))
    wrap(container.greeter, Louder)
    assert container.greeter().greet() == "hello me!"


def test_a_value_can_be_wrapped() -> None:
    container = Example()
    wrap(container.name, str.upper)
    assert container.greeter().greet() == "hello YOU"


def test_what_is_put_into_a_class_counts_for_new_containers_until_the_context_ends() -> None:
    with set_value(Example.name, "all"), wrap(Derived.greeter, Louder):
        assert Example().greeter().greet() == "hello all!"
        assert Derived().outer().greeter.greet() == "hello all!"
    assert Derived().outer().greeter.greet() == "hello you"


def test_a_shared_container_has_the_very_objects_of_the_other() -> None:
    source, target = Derived(), Derived()
    wrap(source.greeter, Louder)
    share(Example, source, target, but=("fresh",))
    set_value(source.name, "all")
    assert target.outer().greeter is source.greeter()
    assert target.greeter().greet() == "hello all!"
    assert target.fresh() == Plain("all")
    assert target.fresh.overridden == ()


def test_arguments_that_are_no_providers_are_passed_as_they_are() -> None:
    """Of a container that an adopter declares without ``singleton`` and ``factory``."""
    provider: providers.Factory[dict[str, object]] = providers.Factory(
        dict, first=str, second=3, third=providers.Object(4)
    )
    assert provider() == {"first": str, "second": 3, "third": 4}
    container = type("Direct", (Container,), {"made": providers.Singleton(Plain, "x")})()
    assert container.made() == Plain("x")


def test_unreferenced_containers_are_freed() -> None:
    """Although its providers refer to the container itself."""
    container = Example()
    container.hall()
    gone = weakref.ref(container.greeter())
    del container
    gc.collect()
    assert gone() is None
