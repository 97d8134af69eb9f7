"""The person who may or may not stand at the unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Operator(Protocol):
    """An LCD with keys, a console, or nobody."""

    @property
    def is_present(self) -> bool:
        """Is there something to read from and press on? False: never wait for a person."""

    def show(self, text: str) -> None:
        """A short message. Never fails and never blocks: a dead display must not stop a flow."""

    def key_pressed(self, seconds: float) -> bool:
        """Wait for any key, at most ``seconds``."""

    def choose(self, title: str, items: Sequence[str], seconds: float) -> int | None:
        """Index of the chosen item; None after ``seconds`` without a choice. Empty items are spacers."""

    def confirm(self, question: str, seconds: float) -> bool:
        """True only if a person said yes."""
