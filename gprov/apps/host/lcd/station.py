"""Runs a simulated display on a wire, in a thread of its own; other threads look at it, press keys and wait for texts.

with LcdStation(SimulatedLcd(Model.CFA_635, clock), wire, clock) as lcd:
    lcd.wait_for("Restore", seconds=300)
    lcd.press(Button.ENTER)
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn, Protocol, Self

from gprov.adapters.fake.lcd.face import LcdFace
from gprov.apps.host.lcd.wire import Wire, WireClosed
from gprov.domain.errors import DeadlineExceeded, DeviceFault
from gprov.domain.formats.lcd.reports import Button
from gprov.ports.clock import Clock, Deadline

PRESS_SECONDS = 0.1
# A host may ignore keys that are pressed before its picture is complete. A person does not press them that fast.
_REACTION_SECONDS = 0.5
_MOST_REACTION_SECONDS = 2.0  # if the picture moves all the time
_TURN_SECONDS = 0.05
_POLL_SECONDS = 0.02
_KEPT_FACES = 10_000


class SerialDisplay(Protocol):
    """What a station runs: ``SimulatedLcd``, or a replay. ``next_due``: as of ``SimulatedLcd``."""

    @property
    def face(self) -> LcdFace: ...

    @property
    def is_hung_up(self) -> bool: ...

    def receive(self, data: bytes) -> None: ...

    def transmit(self) -> bytes: ...

    def next_due(self) -> float | None: ...

    def press(self, button: Button) -> None: ...

    def release(self, button: Button) -> None: ...


class Tap(Protocol):
    """Gets the bytes of both directions."""

    def from_host(self, data: bytes) -> None: ...

    def from_display(self, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class ShownFace:
    """``seconds``: since the station was made."""

    seconds: float
    face: LcdFace


class LcdStation:
    """``turn`` is one round of input and output; as a context manager the station turns in a thread. ``shown``: the
    last faces, oldest first, also those between two commands of one picture."""

    def __init__(self, display: SerialDisplay, wire: Wire, clock: Clock, tap: Tap | None = None) -> None:
        self._display = display
        self._wire = wire
        self._clock = clock
        self._tap = tap
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lcd", daemon=True)
        self._started = clock.monotonic()
        self._shown = deque([ShownFace(0.0, display.face)], maxlen=_KEPT_FACES)
        self._count = 1
        self._drawn = 0.0
        self.is_ended = False

    @property
    def name(self) -> str:
        return self._wire.name

    @property
    def face(self) -> LcdFace:
        with self._lock:
            return self._display.face

    @property
    def shown(self) -> Sequence[ShownFace]:
        with self._lock:
            return tuple(self._shown)

    def shown_since(self, number: int) -> tuple[int, Sequence[ShownFace]]:
        """Return the faces from this number on, counted from 0, and the number of the first of them: old faces are
        dropped. There is at least one."""
        with self._lock:
            first = max(min(number, self._count - 1), self._count - len(self._shown))
            return first, list(self._shown)[first - self._count :]

    @property
    def latest(self) -> ShownFace:
        with self._lock:
            return self._shown[-1]

    @property
    def seconds(self) -> float:
        """Since the station was made."""
        return self._clock.monotonic() - self._started

    def turn(self, seconds: float = 0.0) -> None:
        """Pass bytes on; waits for some at most ``seconds``. Does nothing if the line has ended."""
        if self.is_ended:
            return
        due = self._display.next_due()
        try:
            data = self._wire.receive(seconds if due is None else min(seconds, due))
            with self._lock:
                self._pass_on(data)
        except WireClosed:
            self.is_ended = True
        if self._display.is_hung_up:
            self.is_ended = True
            self._wire.close()

    def hold(self, button: Button) -> None:
        with self._lock:
            self._display.press(button)
            self._flush()

    def release(self, button: Button) -> None:
        with self._lock:
            self._display.release(button)
            self._flush()

    def press(self, button: Button, seconds: float = PRESS_SECONDS) -> None:
        """Press a key as a person does: when the picture has been still for a moment; release it after ``seconds``."""
        deadline = Deadline(self._clock, _MOST_REACTION_SECONDS)
        while self.seconds - self._drawn < _REACTION_SECONDS and not deadline.passed:
            self._clock.sleep(_POLL_SECONDS)
        self.hold(button)
        self._clock.sleep(seconds)
        self.release(button)

    def wait_until(self, holds: Callable[[LcdFace], bool], what: str, seconds: float) -> LcdFace:
        """Return the first face from now on for which ``holds`` is true. Raises DeadlineExceeded with the last screen,
        DeviceFault if the line ends; ``what`` names what was waited for."""
        deadline = Deadline(self._clock, seconds)
        seen = self._count - 1
        while True:
            first, faces = self.shown_since(seen)
            seen = first + len(faces) - 1
            found = next((shown.face for shown in faces if holds(shown.face)), None)
            if found is not None:
                return found
            if self.is_ended or deadline.passed:
                self._give_up(what, seconds)
            self._clock.sleep(_POLL_SECONDS)

    def wait_for(self, text: str, seconds: float) -> LcdFace:
        """Return the first face from now on that has ``text`` in one of its rows. Raises as ``wait_until``."""
        return self.wait_until(lambda face: any(text in line for line in face.lines), f"text {text!r}", seconds)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End thread and line."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        if not self._display.is_hung_up:
            self._wire.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _give_up(self, what: str, seconds: float) -> NoReturn:
        screen = " / ".join(line.strip() for line in self.face.lines)
        if self.is_ended:
            raise DeviceFault(f"display {self.name}", f"the line ended before {what} (shown: {screen})")
        raise DeadlineExceeded(f"display {self.name}: {what} (shown: {screen})", seconds)

    def _run(self) -> None:
        while not self._stop.is_set() and not self.is_ended:
            self.turn(_TURN_SECONDS)

    def _pass_on(self, data: bytes) -> None:
        if data:
            if self._tap is not None:
                self._tap.from_host(data)
            self._display.receive(data)
        self._flush()

    def _flush(self) -> None:
        """Send what is due, and keep the face if it has changed."""
        sent = self._display.transmit()
        if sent:
            if self._tap is not None:
                self._tap.from_display(sent)
            try:
                self._wire.send(sent)
            except WireClosed:
                self.is_ended = True
        face = self._display.face
        last = self._shown[-1].face
        if (face.lines, face.cursor) != (last.lines, last.cursor):
            self._drawn = self.seconds
        if face != last:
            self._count += 1
            self._shown.append(ShownFace(self.seconds, face))
