"""What the display of a lab unit shows: all screens in a file, those with new words also as lines of progress."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lcd.plain import Screen, SettledScreens
from gprov.apps.host.lcd.station import LcdStation
from gprov.apps.host.lcd.wire import ConnectedWire

# Texts that scroll have other words at each step.
_NOTE_SECONDS = 2.0


@contextmanager
def attached(machine: Machine, socket: str) -> Iterator[LcdStation | None]:
    """Plug the display of a running machine, if it has one, and run it. Raises DeviceFault."""
    if machine.lcd is None:
        yield None
        return
    clock = SystemClock()
    with LcdStation(SimulatedLcd(machine.lcd, clock), ConnectedWire.to_unix(socket), clock) as lcd:
        yield lcd


def screens_file(serial_log: str) -> str:
    """Path of the screens beside the console log ``serial-<stage>.log``."""
    folder, name = os.path.split(serial_log)
    return os.path.join(folder, f"lcd-{name.removeprefix('serial-')}")


class ScreenLog:
    """``note`` gets a line for people."""

    def __init__(self, lcd: LcdStation, path: str, note: Callable[[str], None]) -> None:
        self._path = path
        self._note = note
        self._screens = SettledScreens(lcd)
        self._words: tuple[str, ...] = ()
        self._noted = -_NOTE_SECONDS
        with os_errors_translated(path), open(path, "wb"):
            pass

    def poll(self) -> None:
        """To be called again and again."""
        for screen in self._screens.fresh():
            self._keep(screen)

    def end(self) -> None:
        for screen in self._screens.rest():
            self._keep(screen)

    def _keep(self, screen: Screen) -> None:
        text = "\n".join((f"{screen.seconds:.1f} s", *screen.lines))
        with os_errors_translated(self._path), open(self._path, "a", encoding="utf-8") as file:
            file.write(f"{text}\n")
        rows = [line.strip("|").strip() for line in screen.lines if line.startswith("|")]
        words = tuple(re.findall(r"[^\W\d_]{2,}", " ".join(rows)))
        if words and words != self._words and screen.seconds - self._noted >= _NOTE_SECONDS:
            self._words, self._noted = words, screen.seconds
            self._note(f"display: {' | '.join(filter(None, rows))}")
