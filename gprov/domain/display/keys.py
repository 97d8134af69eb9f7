"""What a person enters: keys that every display has, and characters of a console's keyboard."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Key(Enum):
    """Keys of a display; a console has them as arrow keys, Enter and Escape. OTHER: a key of a keyboard that has a
    meaning only where any key is asked for."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    ENTER = "enter"
    EXIT = "exit"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Typed:
    """A character of a keyboard: one printable ASCII character, or backspace (``\\b``)."""

    character: str


Input = Key | Typed
