"""The screens of a display as lines of text, for pipes, logs and tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gprov.adapters.fake.lcd.face import LcdFace
from gprov.apps.host.lcd.station import LcdStation, ShownFace

# A picture consists of several commands, sent at least 10 ms apart. A pause of this length ends it.
SETTLE_SECONDS = 0.1


def face_lines(face: LcdFace) -> Iterator[str]:
    """Each row between bars, the cursor below its cell."""
    for number, line in enumerate(face.lines):
        yield f"|{line}|"
        if face.cursor is not None and face.cursor[1] == number:
            yield f" {' ' * face.cursor[0]}^"


@dataclass(frozen=True, slots=True)
class Screen:
    """``seconds``: since the station was made. ``lines``: as of ``face_lines``."""

    seconds: float
    lines: tuple[str, ...]


class SettledScreens:
    """Finds the screens that stayed for a moment. ``fresh`` is to be called again and again."""

    def __init__(self, lcd: LcdStation) -> None:
        self._lcd = lcd
        self._number = 0
        self._last: tuple[str, ...] | None = None

    def fresh(self) -> Iterator[Screen]:
        """Yield the screens that have settled since the last call and differ from the one before."""
        first, faces = self._lcd.shown_since(self._number)
        self._number = first + len(faces) - 1  # the last one is looked at again: it may settle yet
        ends = [shown.seconds for shown in faces[1:]] + [self._lcd.seconds]
        for shown, end in zip(faces, ends, strict=True):
            if end - shown.seconds >= SETTLE_SECONDS:
                yield from self._new(shown)

    def rest(self) -> Iterator[Screen]:
        """As ``fresh``; the last screen counts as settled."""
        yield from self.fresh()
        yield from self._new(self._lcd.latest)

    def _new(self, shown: ShownFace) -> Iterator[Screen]:
        lines = tuple(face_lines(shown.face))
        if lines != self._last:
            self._last = lines
            yield Screen(shown.seconds, lines)
