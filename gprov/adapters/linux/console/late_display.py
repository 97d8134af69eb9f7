"""A display that is made when hardware for it is found: most units have none, and need no module or thread of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from gprov.domain.display.keys import Input
from gprov.domain.display.views import View
from gprov.ports.display import Display

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.platform.model import Lcd


class LateDisplay(Display):
    """``is_there``: whether there may be a display, asked in every call until then; ``make``: makes it. The methods may
    be called from any thread. After ``close`` a display is made anew."""

    def __init__(self, is_there: Callable[[], bool], make: Callable[[], Display]) -> None:
        self._is_there = is_there
        self._make = make
        self._lock = threading.Lock()
        self._display: Display | None = None
        self._view: View | None = None

    @property
    @override
    def is_present(self) -> bool:
        display = self._found()
        return display is not None and display.is_present

    @property
    @override
    def lcd(self) -> Lcd:
        from gprov.domain.platform.model import Lcd

        display = self._found()
        return Lcd.NONE if display is None else display.lcd

    @override
    def show(self, view: View) -> None:
        self._view = view
        display = self._found()
        if display is not None:
            display.show(view)

    @override
    def fileno(self) -> int:
        display = self._found()
        return -1 if display is None else display.fileno()

    @override
    def read(self) -> Sequence[Input]:
        display = self._found()
        return () if display is None else display.read()

    @override
    def close(self) -> None:
        with self._lock:
            display, self._display, self._view = self._display, None, None
        if display is not None:
            display.close()

    def _found(self) -> Display | None:
        with self._lock:
            if self._display is None and self._is_there():
                self._display = self._make()
                if self._view is not None:
                    self._display.show(self._view)
            return self._display
