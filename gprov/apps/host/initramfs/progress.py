"""Shows the progress of a build: phase, elapsed time, number of compiled objects."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

_EVERY_TTY = 1.0  # seconds
_EVERY_LINE = 10.0
_STEPS = (b"  CC ", b"  AS ")  # kbuild's output per object


class BuildProgress:
    """Writes to ``stream``: on a terminal one line that is rewritten, else a line every 10 s."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._tty = stream.isatty()
        self._started = 0.0
        self._shown = 0.0
        self._phase = ""

    @property
    def interval(self) -> float:
        """Seconds between two polls of the build."""
        return _EVERY_TTY if self._tty else _EVERY_LINE / 5

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Report the start of a phase, and its outcome and duration at its end."""
        self._phase, self._started = name, self._clock()
        self._write(name, end=False)
        self._shown = self._clock()
        outcome = "failed"
        try:
            yield
            outcome = "done"
        finally:
            self._write(f"{name}: {outcome} in {self._elapsed()}", end=True)

    def tick(self, objects: int) -> None:
        """Show the number of objects, at most once per 10 s unless on a terminal."""
        if self._tty or self._clock() - self._shown >= _EVERY_LINE:
            self._shown = self._clock()
            self._write(f"{self._phase}: {self._elapsed()}, {objects} objects", end=False)

    def note(self, text: str) -> None:
        self._write(text, end=True)

    def _elapsed(self) -> str:
        minutes, seconds = divmod(round(self._clock() - self._started), 60)
        return f"{minutes}:{seconds:02d}"

    def _write(self, text: str, end: bool) -> None:
        if self._tty:
            self._stream.write(f"\r\x1b[K{text}" + ("\n" if end else ""))
        else:
            self._stream.write(f"{text}\n")
        self._stream.flush()


class ObjectCount:
    """Counts compiled objects in kbuild's output, given in pieces of any size."""

    def __init__(self) -> None:
        self.objects = 0
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        self.objects += sum(line.startswith(_STEPS) for line in lines)
