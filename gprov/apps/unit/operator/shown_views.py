"""What the displays of the unit show: a dialog, the key window, or else the latest message or progress."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gprov.ports.clock import Clock

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.display.views import KeyWindowView, MessageView, View
    from gprov.ports.display import Panel


class ShownViews:
    """While a dialog is open, the latest message or progress is only remembered; it is shown after the dialog. While a
    key window is open, so are views of events. The methods may be called from any thread."""

    def __init__(self, panel: Callable[[], Panel], clock: Clock) -> None:
        """``panel``: returns always the same one. It is first called when something is to be shown or read."""
        self._panel = panel
        self._clock = clock
        self._used = False
        self._lock = threading.RLock()
        self._latest: View | None = None
        self._dialog = False
        self._window_end = 0.0
        # A key window is on the displays, open or over.
        self._window_shown = False

    @property
    def panel(self) -> Panel:
        self._used = True
        return self._panel()

    def show_message(self, view: MessageView) -> None:
        """A message for all displays and consoles."""
        with self._lock:
            self._latest = view
            if not self._dialog:
                self._window_end, self._window_shown = 0.0, False
                self.panel.show(view)

    def show_status(self, view: View) -> None:
        """A view of an event. Consoles show events as a log."""
        with self._lock:
            self._latest = view
            if not self._dialog and self._clock.monotonic() >= self._window_end:
                self._window_shown = False
                self.panel.show_status(view)

    def show_key_window(self, view: KeyWindowView) -> None:
        with self._lock:
            self._window_end, self._window_shown = self._clock.monotonic() + view.seconds, True
            self.panel.show(view)

    @contextmanager
    def dialog(self, view: View) -> Iterator[Callable[[View], None]]:
        """Context in which a dialog is open. Its further views are passed to the function that the context returns."""
        self._open(view)
        try:
            yield self.panel.show
        finally:
            self._end_dialog()

    def close(self) -> None:
        """A key window that is over does not stay on the displays."""
        with self._lock:
            if not self._used:
                return
            if self._window_shown and self._latest is not None:
                self.panel.show_status(self._latest)
            self._window_end, self._window_shown = 0.0, False
            self.panel.close()

    def _open(self, view: View) -> None:
        with self._lock:
            self._dialog = True
            self.panel.show(view)

    def _end_dialog(self) -> None:
        from gprov.domain.display.views import MessageView

        with self._lock:
            self._dialog = False
            self._window_end, self._window_shown = 0.0, False
            self.panel.show(self._latest if self._latest is not None else MessageView(""))
