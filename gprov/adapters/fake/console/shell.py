"""A recovery shell whose session a test writes."""

from __future__ import annotations

from collections.abc import Callable

from typing_extensions import override

from gprov.ports.shell import ConsoleShell, ShellEnd


class FakeConsoleShell(ConsoleShell):
    """``session``: what the person does; returns what the consoles show. ``greetings``: of all sessions so far."""

    def __init__(self) -> None:
        self.session: Callable[[], bytes] = bytes
        self.end = ShellEnd.EXITED
        self.greetings: list[str] = []

    @override
    def run(self, greeting: str, transcript: Callable[[bytes], None], idle_seconds: float) -> ShellEnd:
        self.greetings.append(greeting)
        transcript(self.session())
        return self.end
