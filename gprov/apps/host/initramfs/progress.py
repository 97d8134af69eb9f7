"""What a person sees of a long build: one line with phase, elapsed time and objects compiled so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

_EVERY_TTY = 1.0  # seconds
_EVERY_LINE = 10.0
_STEPS = (b"  CC ", b"  AS ")  # how kbuild announces an object


class BuildProgress:
    """Writes to ``stream``: a line that rewrites itself on a terminal, else a line every few seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._tty = stream.isatty()
        self._started = 0.0
        self._shown = 0.0
        self._phase = ""

    @property
    def interval(self) -> float:
        """Seconds between two looks at what is going on."""
        return _EVERY_TTY if self._tty else _EVERY_LINE / 5

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Announce a phase, and how long it took once it ends, well or badly."""
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
        """Show the state, if the last time is long enough ago."""
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
