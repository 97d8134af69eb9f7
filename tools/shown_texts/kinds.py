"""How a text is shown."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """PART: inside of another text. LOG: a line of logs only."""

    MESSAGE = "message"
    WARNING = "warning"
    ERROR = "error"
    SCREEN = "screen"
    QUESTION = "question"
    MENU = "menu"
    PASSWORD = "password"  # noqa: S105 - the prompt of a password
    OPERATION = "operation"
    PROGRESS = "progress"
    PROBLEM = "problem"
    PART = "part"
    LOG = "log"
