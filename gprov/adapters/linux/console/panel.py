"""Panel port: the consoles at which a person may be, and other displays, as one."""

from __future__ import annotations

import select
import threading
from collections import deque
from collections.abc import Sequence
from itertools import zip_longest
from math import inf
from typing import TYPE_CHECKING

from typing_extensions import override

from gprov.adapters.linux.console.display import ConsoleDisplay
from gprov.adapters.linux.console.eligible import eligible_terminals
from gprov.adapters.linux.console.log import ConsoleLog
from gprov.adapters.linux.console.terminal import Terminal
from gprov.domain.display.keys import Input
from gprov.domain.display.views import MenuView, PasswordView, QuestionView, View
from gprov.ports.clock import Clock, Deadline
from gprov.ports.display import Display, Panel

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.platform.model import Lcd

# A display or keyboard that appears while a person is waited for is noticed after at most this time.
_RESCAN_SECONDS = 1.0
# After a display failed between the search and the wait for it.
_FAILED_SECONDS = 0.05
_DIALOGS = (MenuView, QuestionView, PasswordView)


class LinuxPanel(Panel):
    """``displays``: those that are not consoles; they may appear at any time, and are used again after ``close``.
    ``log``: the log on the console, which is held back during dialogs. ``consoles``: where sysfs, procfs and device
    files are. Messages and events may be shown from any thread, dialogs and input belong to one."""

    def __init__(
        self,
        clock: Clock,
        log: ConsoleLog,
        displays: Sequence[Display] = (),
        consoles: tuple[str, str, str] = ("/sys", "/proc", "/dev"),
    ) -> None:
        self._clock = clock
        self._log = log
        self._displays = tuple(displays)
        self._sys, self._proc, self._dev = consoles
        self._lock = threading.RLock()
        self._consoles: dict[str, ConsoleDisplay] = {}
        self._dialog: View | None = None
        # Terminals echo nothing from the first dialog or wait on, until ``close``: a person may go on typing a password
        # after its dialog has ended.
        self._has_input = False
        self._entered: deque[Input] = deque()

    @property
    @override
    def is_present(self) -> bool:
        """Looked up each time: keyboards on USB come late."""
        self._find()
        return any(display.is_present for display in self._all())

    @property
    @override
    def lcd(self) -> Lcd:
        from gprov.domain.platform.model import Lcd

        found = [display.lcd for display in self._displays]
        return next((lcd for lcd in found if lcd is not Lcd.NONE), Lcd.NONE)

    @override
    def show(self, view: View) -> None:
        dialog = isinstance(view, _DIALOGS)
        with self._lock:
            self._find()
            self._dialog = view if dialog else None
            if dialog:
                # Before a person types: a terminal would show a password.
                self._begin_input()
                self._log.hold()
            for display in self._all():
                display.show(view)
            if not dialog:
                self._log.release()

    @override
    def show_status(self, view: View) -> None:
        for display in self._displays:
            display.show(view)

    @override
    def read(self, seconds: float) -> Input | None:
        deadline = Deadline(self._clock, seconds)
        self._begin_input()
        while True:
            if not self._entered:
                self._find()
                self._take_input()
            if self._entered:
                return self._entered.popleft()
            if deadline.passed:
                return None
            self._wait(min(deadline.remaining, _RESCAN_SECONDS))

    @override
    def discard_input(self) -> None:
        self._find()
        for console in tuple(self._consoles.values()):  # other threads may add some
            console.discard_input()
        for display in self._all():
            display.read()
        self._entered.clear()

    @override
    def close(self) -> None:
        with self._lock:
            for display in self._all():
                display.close()
            self._consoles.clear()
            self._dialog = None
            self._has_input = False
            self._log.release()

    def _all(self) -> list[Display]:
        return [*self._consoles.values(), *self._displays]

    def _find(self) -> None:
        """Open the consoles that are there by now. One that hung up is not opened again."""
        with self._lock:
            for name in eligible_terminals(self._sys, self._proc):
                if name not in self._consoles:
                    console = ConsoleDisplay(Terminal(f"{self._dev}/{name}"), self._clock)
                    self._consoles[name] = console
                    if self._dialog is not None:
                        console.begin_input()
                        console.show(self._dialog)
            if self._has_input:
                self._begin_input()

    def _take_input(self) -> None:
        """Only when all earlier input was read: what else a line sends without end waits in its driver, which discards
        it. One input of each display in turn: a line with noise does not keep a key of another display waiting."""
        for console in tuple(self._consoles.values()):
            console.redraw()
        for turn in zip_longest(*(display.read() for display in self._all())):
            self._entered.extend(entered for entered in turn if entered is not None)

    def _wait(self, seconds: float) -> None:
        """Until there is input, something moves on a console, or the time is over."""
        now = self._clock.monotonic()
        due = min((console.due or inf for console in tuple(self._consoles.values())), default=inf)
        seconds = max(0.0, min(seconds, due - now))
        descriptors = [number for number in (display.fileno() for display in self._all()) if number >= 0]
        if not descriptors:
            self._clock.sleep(seconds)
            return
        try:
            select.select(descriptors, [], [], seconds)
        except (OSError, ValueError):  # closed meanwhile, by the thread of its display
            self._clock.sleep(min(seconds, _FAILED_SECONDS))

    def _begin_input(self) -> None:
        self._has_input = True
        for console in self._consoles.values():
            console.begin_input()
