"""The simulated person, and secrets that take no time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from typing_extensions import override

from gprov.adapters.fake.machine import SimulatedMachine
from gprov.domain.events import Event, StateChange
from gprov.domain.unit.credentials import PasswordHash, Secret
from gprov.ports.events import EventSink
from gprov.ports.factory import Factory
from gprov.ports.operator import Operator
from gprov.ports.secrets import PasswordHasher


class FakeOperator(Operator):
    """Reads ``machine.keys``: "any" presses a key, a number chooses that item, "yes"/"no" answers a question."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @property
    @override
    def present(self) -> bool:
        return self._machine.operator_present and self._machine.clock.monotonic() >= self._machine.operator_at

    @override
    def show(self, text: str) -> None:
        self._machine.messages.append(text)

    @override
    def key_pressed(self, seconds: float) -> bool:
        return self._next(seconds) is not None

    @override
    def choose(self, title: str, items: Sequence[str], seconds: float) -> int | None:
        self.show(title)
        key = self._next(seconds)
        return int(key) if key is not None and key.isdigit() and int(key) < len(items) else None

    @override
    def confirm(self, question: str, seconds: float) -> bool:
        self.show(question)
        return self._next(seconds) == "yes"

    def _next(self, seconds: float) -> str | None:
        if self._machine.keys:
            return self._machine.keys.pop(0)
        self._machine.clock.sleep(seconds)
        return None


class FakePasswordHasher(PasswordHasher):
    """Quick and recognisable; nothing real accepts it."""

    @override
    def hash(self, password: Secret) -> PasswordHash:
        return PasswordHash("$fake$" + hashlib.sha256(password.reveal().encode()).hexdigest())


class MemorySink(EventSink):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = False

    @property
    @override
    def name(self) -> str:
        return "memory"

    @override
    def publish(self, event: Event) -> None:
        self.events.append(event)

    @override
    def close(self) -> None:
        self.closed = True


class FakeServerSink(EventSink):
    """Delivers at once. A server that is down loses events, as it would in the end."""

    def __init__(self, factory: Factory, serial: str) -> None:
        self._factory = factory
        self._serial = serial

    @property
    @override
    def name(self) -> str:
        return "factory server"

    @override
    def publish(self, event: Event) -> None:
        if isinstance(event.body, StateChange):
            self._factory.state(self._serial, event.body.state)
        else:
            self._factory.events(self._serial, (event,))

    @override
    def close(self) -> None:
        """Nothing is held back."""
