"""Entering a password on a console."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from typing_extensions import override

from gprov.domain.display.dialogs.dialog import Dialog, Ended, edited
from gprov.domain.display.keys import Input, Key, Typed
from gprov.domain.display.views import PasswordView, View
from gprov.domain.unit.credentials import Secret

# More than any password has, and a bound for noise on a serial line.
_MOST_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class PasswordDialog(Dialog[Secret | None]):
    """The answer is None after EXIT. ENTER without characters is no password, and has no effect. Only its length is
    shown."""

    prompt: str
    typed: Secret = field(default_factory=lambda: Secret(""))

    @property
    @override
    def view(self) -> View:
        return PasswordView(self.prompt, len(self.typed.reveal()))

    @override
    def after(self, entered: Input) -> Dialog[Secret | None] | Ended[Secret | None]:
        match entered:
            case Typed():
                return replace(self, typed=Secret(edited(self.typed.reveal(), entered, _MOST_CHARACTERS)))
            case Key.ENTER if self.typed.reveal():
                return Ended(self.typed)
            case Key.EXIT:
                return Ended(None)
            case Key.ENTER | Key.UP | Key.DOWN | Key.LEFT | Key.RIGHT | Key.OTHER:
                return self
