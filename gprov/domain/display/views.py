"""Views: what is shown at a time, independent of the size of a display. The renderer turns a view into a screen.

They have no slots: a class with slots takes longer to make, and every boot with a key window imports this module.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.events import Severity


@dataclass(frozen=True)
class MessageView:
    """A message, which may be long: displays scroll it. ``busy``: work goes on, so a spinner turns."""

    text: str
    severity: Severity = Severity.MSG
    busy: bool = False


@dataclass(frozen=True, kw_only=True)
class ProgressView:
    """A long task. ``done`` of ``total`` bytes or items (``total`` 0: unknown); ``rate`` per second, 0: not known;
    ``seconds_left``: None: not known."""

    task: str
    done: int
    total: int
    rate: float = 0.0
    seconds_left: float | None = None


@dataclass(frozen=True)
class MenuView:
    """A menu. ``items``: an empty one is a spacer; ``selected``: index into them. ``typed``: what was typed on a
    console so far."""

    title: str
    items: tuple[str, ...]
    selected: int
    typed: str = ""


@dataclass(frozen=True)
class QuestionView:
    """A question that is answered with yes or no; the question may be long. ``yes``: which answer is selected.
    ``typed``: what was typed on a console so far."""

    question: str
    yes: bool = False
    typed: str = ""


@dataclass(frozen=True)
class KeyWindowView:
    """A text, and the time in which any key is accepted. ``seconds``: time left when the view is first shown."""

    text: str
    seconds: float


@dataclass(frozen=True)
class PasswordView:
    """A password is requested on consoles. ``length``: number of characters typed so far, which are not shown."""

    prompt: str
    length: int


View = MessageView | ProgressView | MenuView | QuestionView | KeyWindowView | PasswordView
