"""Display port on a Crystalfontz LCD: a thread finds it, draws on it and reads its keys.

No method waits for the display, whatever it does. It may be plugged in at any time and return after it was lost.
"""

from __future__ import annotations

import select
import threading
from typing import TYPE_CHECKING

from typing_extensions import override

from gprov.adapters.linux.lcd.desk import Desk
from gprov.adapters.linux.lcd.discovery import find_ports
from gprov.domain.errors import DeviceFault
from gprov.ports.display import Display

if TYPE_CHECKING:  # each import is time on every boot
    from collections.abc import Callable, Sequence

    from gprov.domain.display.keys import Input
    from gprov.domain.display.views import View
    from gprov.domain.platform.model import Lcd
    from gprov.ports.background import Background
    from gprov.ports.clock import Clock

# Seconds between two searches for ports, and before a display that was lost is asked again.
SEARCH_SECONDS = 1.0
CLOSE_SECONDS = 1.0
# A device that is found and lost all the time does not fill the log.
MOST_REPORTS = 20


class CrystalfontzDisplay(Display):
    """The first display that answers. ``search`` returns the device files of ports that are asked; ``log`` gets a
    sentence for each display that is found, lost or refused."""

    def __init__(
        self, search: Callable[[], Sequence[str]], clock: Clock, background: Background, log: Callable[[str], None]
    ) -> None:
        self._search = search
        self._clock = clock
        self._log = log
        self._desk = Desk(clock)
        self._reasons: dict[str, str] = {}
        self._notes: set[str] = set()
        self._reports = 0
        self._starter = threading.get_ident()
        self._task = background.start("display", self._work)
        self._closed = False

    @property
    @override
    def is_present(self) -> bool:
        return self._desk.is_present

    @property
    @override
    def lcd(self) -> Lcd:
        from gprov.domain.platform.model import Lcd

        model = self._desk.model if self._desk.is_present else None
        return Lcd.NONE if model is None else Lcd(str(model.value))

    @override
    def show(self, view: View) -> None:
        if not self._closed:
            self._desk.show(view)

    @override
    def fileno(self) -> int:
        return -1 if self._closed else self._desk.keys

    @override
    def read(self) -> Sequence[Input]:
        return () if self._closed else self._desk.take_keys()

    @override
    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._desk.close()
            # The thread of a display that hangs keeps its descriptors.
            if self._task.wait(CLOSE_SECONDS):
                self._desk.release()

    def _work(self) -> None:
        """If no thread could be created, this is the caller's: a display does without rather than stop it."""
        if threading.get_ident() == self._starter:
            return
        while not self._desk.wanted().closing:
            for path in self._search():
                self._use(path)
            self._pause()

    def _use(self, path: str) -> None:
        """Until the display is lost. A reason is logged when it differs from the last one. A defect of this program
        is a reason like others: the next view may be drawn."""
        from gprov.adapters.linux.lcd.conversation import converse

        if self._desk.wanted().closing:
            return
        try:
            converse(path, self._desk, self._clock, self._log_found, self._note)
        except DeviceFault as error:
            self._report_loss(path, error.reason)
        except Exception as exc:  # noqa: BLE001 - the thread, and with it the display, would be gone
            self._report_loss(path, f"unexpected error: {type(exc).__name__}")

    def _report_loss(self, path: str, reason: str) -> None:
        if self._reasons.get(path) != reason:
            self._reasons[path] = reason
            self._report(f"display {path}: {reason}")

    def _note(self, text: str) -> None:
        """Once, and not among the reports of a display that comes and goes."""
        if text not in self._notes:
            self._notes.add(text)
            self._log(text)

    def _log_found(self, text: str) -> None:
        self._reasons.clear()
        self._report(text)

    def _report(self, text: str) -> None:
        self._reports += 1
        if self._reports < MOST_REPORTS:
            self._log(text)
        elif self._reports == MOST_REPORTS:
            self._log(f"{text}. Further changes of displays are not reported")

    def _pause(self) -> None:
        end = self._clock.monotonic() + SEARCH_SECONDS
        poll = select.poll()
        poll.register(self._desk.wake, select.POLLIN)
        while (left := end - self._clock.monotonic()) > 0 and not self._desk.wanted().closing:
            poll.poll(int(left * 1000) + 1)


def lcd_search(sys: str, dev: str, manufacturers: Sequence[str]) -> Callable[[], Sequence[str]]:
    """Search for ports in sysfs (``gprov.adapters.linux.lcd.discovery``)."""
    return lambda: find_ports(sys, dev, manufacturers)
