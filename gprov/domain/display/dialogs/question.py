"""Asking a question that is answered with yes or no."""

from __future__ import annotations

from dataclasses import dataclass, replace

from typing_extensions import override

from gprov.domain.display.dialogs.dialog import Dialog, Ended, edited
from gprov.domain.display.keys import Input, Key, Typed
from gprov.domain.display.views import QuestionView, View

_WORDS = {"y": True, "yes": True, "n": False, "no": False}


@dataclass(frozen=True, slots=True)
class QuestionDialog(Dialog[bool]):
    """No is selected at first, and EXIT means no. On a console the word can be typed; another word is discarded by
    ENTER."""

    question: str
    yes: bool = False
    typed: str = ""

    @property
    @override
    def view(self) -> View:
        return QuestionView(self.question, self.yes, self.typed)

    @override
    def after(self, entered: Input) -> Dialog[bool] | Ended[bool]:
        match entered:
            case Typed():
                return replace(self, typed=edited(self.typed, entered))
            case Key.UP | Key.DOWN | Key.LEFT | Key.RIGHT:
                return replace(self, yes=not self.yes, typed="")
            case Key.EXIT:
                return Ended(False)
            case Key.ENTER:
                return self._entered()
            case Key.OTHER:
                return self

    def _entered(self) -> Dialog[bool] | Ended[bool]:
        if not self.typed:
            return Ended(self.yes)
        word = self.typed.strip().lower()
        return Ended(_WORDS[word]) if word in _WORDS else replace(self, typed="")
