"""Interaction with a person at the unit's console or display."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from gprov.domain.display.choice import NoChoice
from gprov.domain.unit.credentials import Secret

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.platform.model import Lcd


class Operator(Protocol):
    """A display with keys, or a console. An operator may be absent."""

    @property
    def is_present(self) -> bool:
        """Whether an operator can be present: there are a display and keys. If False, flows do not wait for keys."""

    @property
    def lcd(self) -> Lcd:
        """Model of the LCD that answers now; NONE without one."""

    def show(self, text: str) -> None:
        """Show a short message. Keys that were pressed before have no effect any more. Never raises or blocks: a
        defective display must not stop a flow."""

    def show_key_window(self, text: str, seconds: float) -> None:
        """Show a text, and for how many ``seconds`` any key has an effect, until a key is pressed or the time is over.
        Returns at once; ``key_pressed`` waits."""

    def key_pressed(self, seconds: float) -> bool:
        """Wait for any key, at most ``seconds``."""

    def choose(self, title: str, items: Sequence[str], seconds: float) -> int | NoChoice:
        """Show a menu for at most ``seconds``. Return the index of the chosen item. Empty items are spacers, which can
        be chosen, too."""

    def confirm(self, question: str, seconds: float) -> bool:
        """Ask a question. True only after an explicit yes; a timeout counts as no. Keys that were pressed before the
        question was shown do not answer it."""

    def ask_secret(self, prompt: str, seconds: float) -> Secret | None:
        """Ask for a password, which is not shown. Only keyboards of consoles can enter one. None: cancelled, or not
        completed within ``seconds``."""

    def close(self) -> None:
        """Release displays and consoles, before another program uses them. What they show stays; each method may be
        called again. Waits at most a second."""
