"""One run of a simulated display: on which line, with what, until when."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.apps.host.lcd.keyscript import Step, run_script
from gprov.apps.host.lcd.plain import Screen, SettledScreens
from gprov.apps.host.lcd.recording import Passage, Recorder, ReplayedLcd
from gprov.apps.host.lcd.station import LcdStation, SerialDisplay
from gprov.apps.host.lcd.wire import Wire
from gprov.domain.errors import GprovError
from gprov.domain.formats.lcd.models import Model
from gprov.ports.clock import Clock

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """``script``: None: no script, the run lasts until it is interrupted. ``replay``: None: a simulated display.
    ``record``: path of the recording, "" for none."""

    model: Model
    script: tuple[Step, ...] | None = None
    replay: tuple[Passage, ...] | None = None
    record: str = ""


class Session:
    """``is_done``: script or replay has ended, or the line. ``failure``: of script or replay."""

    def __init__(self, lcd: LcdStation, display: SerialDisplay, spec: SessionSpec, clock: Clock) -> None:
        self.lcd = lcd
        self._replayed = display if isinstance(display, ReplayedLcd) else None
        self._script = spec.script
        self._clock = clock
        self._script_done = threading.Event()
        self._script_failure: GprovError | None = None
        self._thread = threading.Thread(target=self._run_script, name="lcd keys", daemon=True)
        if spec.script is not None:
            self._thread.start()

    @property
    def failure(self) -> GprovError | None:
        return self._script_failure or (self._replayed.difference if self._replayed is not None else None)

    @property
    def is_done(self) -> bool:
        if self.lcd.is_ended or self.failure is not None:
            return True
        replayed = self._replayed is None or self._replayed.is_done
        played = self._script is None or self._script_done.is_set()
        return replayed and played and not (self._replayed is None and self._script is None)

    def conclude(self) -> None:
        """Raises the failure."""
        failure = self.failure
        if failure is not None:
            raise failure
        if self._replayed is not None:
            self._replayed.require_done()

    def _run_script(self) -> None:
        try:
            run_script(self._script or (), self.lcd, self._clock)
        except GprovError as error:
            self._script_failure = error
        self._script_done.set()


@contextmanager
def session(spec: SessionSpec, open_wire: Callable[[], Wire], clock: Clock) -> Iterator[Session]:
    """Run a display on a new wire while the context lasts."""
    with _recorder(spec.record, clock) as recorder:
        display: SerialDisplay
        if spec.replay is None:
            display = SimulatedLcd(spec.model, clock)
        else:
            display = ReplayedLcd(spec.model, spec.replay, clock)
        with LcdStation(display, open_wire(), clock, recorder) as lcd:
            yield Session(lcd, display, spec, clock)


def run_plain(running: Session, clock: Clock, say: Callable[[str], None]) -> None:
    """Print each new screen until the session is done. Raises its failure."""
    screens = SettledScreens(running.lcd)
    while not running.is_done:
        _print(screens.fresh(), say)
        clock.sleep(_POLL_SECONDS)
    _print(screens.rest(), say)
    running.conclude()


def run_app(running: Session) -> None:
    """Draw the display until the person ends it, or a replay or the line ends. Raises the failure."""
    from gprov.apps.host.lcd.app import LcdApp

    LcdApp(running.lcd, lambda: running.failure is not None or running.lcd.is_ended).run()
    running.conclude()


@contextmanager
def _recorder(path: str, clock: Clock) -> Iterator[Recorder | None]:
    if not path:
        yield None
        return
    with os_errors_translated(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        yield Recorder(file, clock)


def _print(screens: Iterable[Screen], say: Callable[[str], None]) -> None:
    for screen in screens:
        say(f"{screen.seconds:.1f} s")
        for line in screen.lines:
            say(line)
