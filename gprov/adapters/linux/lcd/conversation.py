"""Conversation with the display at one port, from its opening to its loss. Runs on the thread of the display.

Imported when there is a port of a display: most units have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

from gprov.adapters.linux.lcd.desk import Desk, Wanted
from gprov.adapters.linux.lcd.port import BAUD, Port, open_port
from gprov.domain.display.views import View
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.lcd.reports import KeyReport
from gprov.domain.lcd.drawing import draw, redraw_at
from gprov.domain.lcd.keys import KeyPresses
from gprov.domain.lcd.session import Session
from gprov.ports.clock import Clock

# What the line carries within a second, twice: after a pause of this thread, the driver has some more.
MOST_BYTES_PER_SECOND = 2 * BAUD // 10


def converse(path: str, desk: Desk, clock: Clock, log: Callable[[str], None], note: Callable[[str], None]) -> None:
    """Returns when the desk is closed and the last view is drawn. ``log`` gets a sentence when a display is found,
    ``note`` one about a driver that is not complete. Raises DeviceFault: the display is lost."""
    with open_port(path) as port:
        if port.note:
            note(f"display {path}: {port.note}")
        _Conversation(path, port, desk, clock, log).run()


class _Conversation:
    def __init__(self, path: str, port: Port, desk: Desk, clock: Clock, log: Callable[[str], None]) -> None:
        self._path = path
        self._port = port
        self._desk = desk
        self._clock = clock
        self._log = log
        self._session = Session()
        self._presses = KeyPresses()
        self._unsent = b""
        # The view of the session's picture, and when it looks different.
        self._pictured: Wanted | None = None
        self._redraw = inf
        self._drawn: View | None = None
        # Bytes received since a time, for a second.
        self._received, self._since = 0, clock.monotonic()

    def run(self) -> None:
        try:
            while not self._session.is_finished:
                self._step()
        finally:
            self._desk.is_present = False
        if self._session.failure:
            raise DeviceFault(self._path, self._session.failure)

    def _step(self) -> None:
        now = self._clock.monotonic()
        wanted = self._desk.wanted()
        if self._session.is_ready:
            self._announce()
            self._draw(wanted, now)
        if wanted.closing and self._is_pictured(wanted):
            self._session.finish()
        data, keys = self._session.due(now)
        self._accept(keys, wanted)
        self._unsent += data
        if self._unsent:
            self._unsent = self._unsent[self._port.write(self._unsent) :]
        if not self._session.is_finished:
            self._wait(now, wanted)

    def _announce(self) -> None:
        if not self._desk.is_present:
            self._log(f"display {self._path}: {self._session.description}")
            self._desk.model, self._desk.is_present = self._session.model, True

    def _draw(self, wanted: Wanted, now: float) -> None:
        """Replaces the picture when it is drawn to its end: otherwise views that follow each other fast would keep the
        lower rows from being drawn."""
        model, view = self._session.model, wanted.view
        if self._session.is_drawn and self._pictured is not None:
            self._drawn = self._pictured.view
        elif self._pictured is not None:
            return
        if model is None or view is None or (self._is_pictured(wanted) and now < self._redraw):
            return
        seconds = now - wanted.since
        self._session.show(draw(view, model, seconds))
        self._pictured = wanted
        self._redraw = wanted.since + redraw_at(view, model, seconds)

    def _is_pictured(self, wanted: Wanted) -> bool:
        """Whether the session's picture is of the wanted view."""
        if not self._session.is_ready or wanted.view is None:
            return True
        pictured = self._pictured
        return pictured is not None and (pictured.view, pictured.since) == (wanted.view, wanted.since)

    def _accept(self, reports: Iterable[KeyReport], wanted: Wanted) -> None:
        for report in reports:
            key = self._presses.accept(report, self._drawn, wanted.view)
            if key is not None:
                self._desk.put_key(key, wanted)

    def _wait(self, now: float, wanted: Wanted) -> None:
        deadline = self._session.deadline
        end = min(self._redraw, inf if deadline is None else deadline)
        # Every step looks at what is wanted, so that a wait without any deadline may end now and then.
        seconds = min(1.0, end - now)
        ready = self._port.wait(self._desk.wake, to_write=bool(self._unsent), seconds=seconds)
        if ready.readable:
            data = self._port.read()
            self._count(len(data))
            self._accept(self._session.hear(data, self._clock.monotonic()), wanted)

    def _count(self, received: int) -> None:
        """Raises DeviceFault: a device that is not bound to the speed of a serial line would keep the processor busy.
        It is asked again later."""
        now = self._clock.monotonic()
        if now >= self._since + 1.0:
            self._received, self._since = 0, now
        self._received += received
        if self._received > MOST_BYTES_PER_SECOND:
            raise DeviceFault(self._path, "sends more than a serial line carries: it is no display")
