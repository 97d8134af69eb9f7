"""Displays of the simulated machine, with a scripted person."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.display.keys import Input, Key, Typed
from gprov.domain.display.views import KeyWindowView, MenuView, MessageView, PasswordView, QuestionView, View
from gprov.domain.platform.model import Lcd
from gprov.ports.display import Panel

_KEY = "key:"
_TYPE = "type:"


class FakePanel(Panel):
    """Reads ``machine.keys``. What a word means depends on what is shown:

    - "any" presses a key, where any key has an effect;
    - a number chooses that item of a menu; "yes" or "no" answers a question; any word is typed as a password;
    - a word that does not fit the dialog leaves it;
    - "key:up" (down, left, right, enter, exit, other) presses that key, and "type:text" types that text, always.

    ``machine.messages`` keeps the texts that a person was shown, without those of events; ``machine.shown`` is what is
    on the displays.
    """

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine
        self._typed: deque[Input] = deque()
        # What was shown before the open dialog.
        self._before: View | None = None

    @property
    @override
    def is_present(self) -> bool:
        machine, now = self._machine, self._machine.clock.monotonic()
        return machine.operator_present and machine.operator_from <= now < machine.operator_until

    @property
    @override
    def lcd(self) -> Lcd:
        return self._machine.lcd if self.is_present else Lcd.NONE

    @override
    def show(self, view: View) -> None:
        shown = self._machine.shown
        if _text(view) and not _continues(shown, view) and view != self._before:
            self._machine.messages.append(_text(view))
        if not isinstance(view, MenuView | QuestionView | PasswordView):
            self._before = None
        elif not isinstance(shown, MenuView | QuestionView | PasswordView):
            self._before = shown
        self._machine.shown = view

    @override
    def show_status(self, view: View) -> None:
        self._machine.shown = view

    @override
    def read(self, seconds: float) -> Input | None:
        if not self._typed and self._machine.keys:
            self._typed.extend(_inputs(self._machine.keys.pop(0), self._machine.shown))
        if self._typed:
            return self._typed.popleft()
        self._machine.clock.sleep(seconds)
        return None

    @override
    def discard_input(self) -> None:
        """The script is not typed before something is shown."""
        self._typed.clear()

    @override
    def close(self) -> None:
        """What is shown stays."""


def _text(view: View) -> str:
    match view:
        case MessageView(text):
            return text
        case MenuView(title):
            return title
        case QuestionView(question):
            return question
        case KeyWindowView(text, seconds):
            return f"{text} ({seconds:.0f} s)"
        case PasswordView(prompt):
            return prompt
        case _:
            return ""


def _continues(shown: View | None, view: View) -> bool:
    """Whether only the state of an open dialog changes."""
    match shown, view:
        case MenuView(), MenuView():
            return (shown.title, shown.items) == (view.title, view.items)
        case QuestionView(), QuestionView():
            return shown.question == view.question
        case PasswordView(), PasswordView():
            return shown.prompt == view.prompt
        case _:
            return False


def _inputs(word: str, shown: View | None) -> Sequence[Input]:
    if word.startswith(_KEY):
        return (Key(word.removeprefix(_KEY)),)
    if word.startswith(_TYPE):
        return tuple(map(Typed, word.removeprefix(_TYPE)))
    match shown:
        case MenuView() if word.isdigit() and int(word) < len(shown.items):
            steps = int(word) - shown.selected
            return (*[Key.DOWN if steps > 0 else Key.UP] * abs(steps), Key.ENTER)
        case QuestionView() if word in ("yes", "no"):
            toggled = () if shown.yes == (word == "yes") else (Key.RIGHT,)
            return (*toggled, Key.ENTER)
        case PasswordView():
            return (*map(Typed, word), Key.ENTER)
        case MenuView() | QuestionView():
            return (Key.EXIT,)
        case _:
            return (Key.ENTER,)
