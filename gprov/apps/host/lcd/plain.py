"""The screens of a display as lines of text, for pipes, logs and tests."""

from __future__ import annotations

from collections.abc import Iterator

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


class SettledScreens:
    """Finds the screens that stay for a moment. ``fresh`` is to be called again and again."""

    def __init__(self, lcd: LcdStation) -> None:
        self._lcd = lcd
        self._last: tuple[str, ...] | None = None

    def fresh(self, now: float) -> Iterator[str]:
        """Yield the lines of the present screen if it is new and has settled. ``now``: seconds since the station was
        made."""
        latest = self._lcd.latest
        if now - latest.seconds >= SETTLE_SECONDS:
            yield from self._new(latest)

    def rest(self) -> Iterator[str]:
        """Yield the lines of the last screen if it is new."""
        yield from self._new(self._lcd.latest)

    def _new(self, shown: ShownFace) -> Iterator[str]:
        lines = tuple(face_lines(shown.face))
        if lines != self._last:
            self._last = lines
            yield f"{shown.seconds:.1f} s"
            yield from lines
