"""Scripted operator of the simulated machine."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.unit.credentials import Secret
from gprov.ports.operator import Operator


class FakeOperator(Operator):
    """Reads ``machine.keys``: "any" presses a key, a number chooses that menu item, "yes" or "no" answers a
    question."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @property
    @override
    def is_present(self) -> bool:
        return self._machine.operator_present and self._machine.clock.monotonic() >= self._machine.operator_from

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

    @override
    def ask_secret(self, prompt: str, seconds: float) -> Secret | None:
        self.show(prompt)
        typed = self._next(seconds)
        return None if typed is None else Secret(typed)

    def _next(self, seconds: float) -> str | None:
        if self._machine.keys:
            return self._machine.keys.pop(0)
        self._machine.clock.sleep(seconds)
        return None
