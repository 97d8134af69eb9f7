"""Displays with keys, and consoles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # each import is time on every boot
    from collections.abc import Sequence

    from gprov.domain.display.keys import Input
    from gprov.domain.display.views import View
    from gprov.domain.platform.model import Lcd


class Display(Protocol):
    """One LCD or one console. A display may come and go at any time."""

    @property
    def is_present(self) -> bool:
        """Whether a person can read it and press its keys, as far as is known now."""

    @property
    def lcd(self) -> Lcd:
        """Model of an LCD that answers; NONE: there is none now, or it is a console."""

    def show(self, view: View) -> None:
        """Show a view until the next one. Returns at once and never raises: drawing is the adapter's work, and of views
        that follow each other faster than the display draws only the last one is drawn."""

    def fileno(self) -> int:
        """A descriptor that is readable while there is input; -1: none now."""

    def read(self) -> Sequence[Input]:
        """Input since the last call, oldest first; empty if there is none. Never blocks or raises."""

    def close(self) -> None:
        """Stop drawing and restore the mode of a terminal; what is on the display stays. Waits at most one second."""


class Panel(Protocol):
    """All displays of the unit as one: all of them show the same view, and input may come from each of them."""

    @property
    def is_present(self) -> bool:
        """Whether any display is present. Looked up each time: USB devices appear late."""

    @property
    def lcd(self) -> Lcd:
        """Model of the LCD among the displays; NONE: none answers now."""

    def show(self, view: View) -> None:
        """As of a display."""

    def show_status(self, view: View) -> None:
        """Show a view on the displays that show no log: not on consoles."""

    def read(self, seconds: float) -> Input | None:
        """The next input; waits for it, at most ``seconds``. None: there was none. Without any display it waits, too:
        callers rely on the pause."""

    def discard_input(self) -> None:
        """Discard the input that was not read yet."""

    def close(self) -> None:
        """Close all displays. Each method may be called again; displays are then opened anew."""
