"""What all dialogs have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from gprov.domain.display.keys import Input, Typed
from gprov.domain.display.views import View

Answer_co = TypeVar("Answer_co", covariant=True)

BACKSPACE = Typed("\b")
# Longer input is noise on a serial line.
_MOST_CHARACTERS = 20


@dataclass(frozen=True, slots=True)
class Ended(Generic[Answer_co]):
    """The dialog has ended."""

    answer: Answer_co


class Dialog(Protocol[Answer_co]):
    """A dialog that waits for input."""

    @property
    def view(self) -> View:
        """What displays show."""

    def after(self, entered: Input) -> Dialog[Answer_co] | Ended[Answer_co]:
        """The state after an input."""


def edited(text: str, typed: Typed, limit: int = _MOST_CHARACTERS) -> str:
    """A line of input after a character of a keyboard. Further characters than ``limit`` are ignored."""
    if typed == BACKSPACE:
        return text[:-1]
    return text + typed.character if len(text) < limit else text
