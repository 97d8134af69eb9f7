"""A terminal as a display: a log outside of dialogs, a full screen for dialogs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from typing_extensions import override

from gprov.adapters.linux.console.keyboard import KeyDecoder
from gprov.adapters.linux.console.terminal import Terminal
from gprov.domain.display.keys import Input
from gprov.domain.display.views import KeyWindowView, MenuView, MessageView, PasswordView, QuestionView, View
from gprov.domain.formats.printable import printable_text
from gprov.ports.clock import Clock
from gprov.ports.display import Display

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.display.screen import Screen
    from gprov.domain.platform.model import Lcd

# The size is not known: many serial terminals have a row less than the virtual console.
_COLUMNS, _ROWS = 80, 24
_CLEAR = "\x1b[0m\x1b[H\x1b[J"
_CLEAR_ROW, _CLEAR_BELOW = "\x1b[K", "\x1b[J"
_SHOW_CURSOR = "\x1b[?25h"
# Before a picture is drawn again that the terminal did not accept: a slow serial line takes a second for some.
_AGAIN_SECONDS = 0.25

DialogView = MenuView | QuestionView | PasswordView


class ConsoleDisplay(Display):
    """Messages and the key window are lines; progress is left to the log. What moves in a dialog moves when ``redraw``
    is called."""

    def __init__(self, terminal: Terminal, clock: Clock) -> None:
        self._terminal = terminal
        self._clock = clock
        self._decoder = KeyDecoder()
        self._dialog: DialogView | None = None
        self._shown_since = 0.0
        self._drawn: Screen | None = None
        self._raw = ExitStack()
        self._is_raw = False

    @property
    @override
    def is_present(self) -> bool:
        return self._terminal.is_open

    @property
    @override
    def lcd(self) -> Lcd:
        from gprov.domain.platform.model import Lcd

        return Lcd.NONE

    @override
    def show(self, view: View) -> None:
        if isinstance(view, MenuView | QuestionView | PasswordView):
            self._show_dialog(view)
            return
        if self._dialog is not None:
            self._dialog = self._drawn = None
            self._terminal.write(_CLEAR + _SHOW_CURSOR)
        match view:
            case MessageView(text) if text:
                self._terminal.write("\n".join(map(printable_text, text.splitlines())) + "\n")
            case KeyWindowView(text, seconds):
                self._terminal.write(f"{text} ({seconds:.0f} s)\n")
            case _:
                return

    @override
    def fileno(self) -> int:
        return self._terminal.fd

    @override
    def read(self) -> Sequence[Input]:
        now = self._clock.monotonic()
        data = self._terminal.read() if self._terminal.is_open else b""
        return self._decoder.feed(data, now) or self._decoder.expire(now)

    @override
    def close(self) -> None:
        self._raw.close()
        self._is_raw = False
        self._terminal.close()

    @property
    def due(self) -> float | None:
        """When ``read`` and ``redraw`` are to be called, on the monotonic clock, even without input; None: then not."""
        times = [time for time in (self._decoder.due, self._next_change()) if time is not None]
        return min(times, default=None)

    def redraw(self) -> None:
        """Draw what has moved since, and again what the terminal did not accept: a person must see a question that a
        key would answer."""
        if self._dialog is not None:
            screen = self._screen(self._dialog)
            if screen != self._drawn:
                self._draw(screen)

    def begin_input(self) -> None:
        """Single keys without echo from now on, until ``close``."""
        if not self._is_raw:
            self._raw.enter_context(self._terminal.raw_mode())
            self._is_raw = True

    def discard_input(self) -> None:
        self._terminal.discard_input()
        self._decoder.reset()

    def _show_dialog(self, view: DialogView) -> None:
        from gprov.domain.display.render import continues

        if self._dialog is None or not continues(self._dialog, view):
            self._shown_since = self._clock.monotonic()
        self._dialog = view
        # Always the whole screen: kernel messages may have destroyed the picture.
        self._draw(self._screen(view))

    def _screen(self, view: DialogView) -> Screen:
        from gprov.domain.display.render import render
        from gprov.domain.display.screen import Geometry

        return render(view, Geometry(_COLUMNS, _ROWS), self._clock.monotonic() - self._shown_since)

    def _next_change(self) -> float | None:
        if self._dialog is None:
            return None
        if self._drawn is None:
            return self._clock.monotonic() + _AGAIN_SECONDS
        from gprov.domain.display.render import next_change
        from gprov.domain.display.screen import Geometry

        seconds = self._clock.monotonic() - self._shown_since
        return self._shown_since + next_change(self._dialog, Geometry(_COLUMNS, _ROWS), seconds)

    def _draw(self, screen: Screen) -> None:
        """Rows are placed, not ended: a line feed in the last row would scroll. Its last column stays empty."""
        rows = [line.rstrip() for line in screen.lines]
        while rows and not rows[-1]:
            rows.pop()
        if len(rows) == _ROWS:
            rows[-1] = rows[-1][: _COLUMNS - 1]
        drawn = "".join(f"\x1b[{number};1H{row}{_CLEAR_ROW}" for number, row in enumerate(rows, 1))
        below = f"\x1b[{len(rows) + 1};1H{_CLEAR_BELOW}" if len(rows) < _ROWS else ""
        cursor = screen.cursor
        place = f"\x1b[{cursor.row + 1};{cursor.column + 1}H" if cursor is not None else ""
        accepted = self._terminal.write(f"\x1b[0m{drawn}{below}{place}{_SHOW_CURSOR}")
        self._drawn = screen if accepted else None
