"""A picture while it is drawn: lines of a display, and when they change next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gprov.domain.display.screen import Geometry, Position, Screen
from gprov.domain.display.text import one_line, wrap
from gprov.domain.display.timing import NEVER, TICKS_PER_SECOND, Motion

# Lines of a long text: time to find the text, then to read a line of 20 characters.
TEXT_PAUSE = 3 * TICKS_PER_SECOND
LINE_STEP = 2 * TICKS_PER_SECOND
# A long line moves by one character per step.
ROW_PAUSE = 2 * TICKS_PER_SECOND
CHARACTER_STEP = TICKS_PER_SECOND // 4
_SMALL_ROWS = 4


@dataclass(frozen=True, slots=True)
class Picture:
    """``lines``: of any length, at most as many as the display has rows. ``until``: tick of the next change."""

    lines: tuple[str, ...]
    until: float = NEVER
    cursor: Position | None = None

    def screen(self, geometry: Geometry) -> Screen:
        lines = [line[: geometry.columns].ljust(geometry.columns) for line in self.lines[: geometry.rows]]
        lines.extend([" " * geometry.columns] * (geometry.rows - len(lines)))
        return Screen(tuple(lines), self.cursor)


def text_window(text: str, columns: int, rows: int, tick: int) -> Picture:
    """``rows`` lines of a text. A longer one scrolls line by line, with a pause at its beginning and end."""
    return lines_window(wrap(text, columns), rows, tick)


def lines_window(lines: Sequence[str], rows: int, tick: int) -> Picture:
    motion = Motion(len(lines) - rows, TEXT_PAUSE, LINE_STEP)
    first = motion.position(tick)
    return Picture(tuple(lines[first : first + rows]), motion.next_change(tick))


def row_window(text: str, columns: int, tick: int) -> Picture:
    """One row of a text. A longer one moves by characters, with a pause at its beginning and end."""
    line = one_line(text)
    motion = Motion(len(line) - columns, ROW_PAUSE, CHARACTER_STEP)
    first = motion.position(tick)
    return Picture((line[first : first + columns].ljust(columns),), motion.next_change(tick))


def with_corner(text: str, corner: str, geometry: Geometry, tick: int) -> Picture:
    """A text with ``corner`` at the right of the last row of a small display, or near the text on a large one. A text
    that leaves no room there is made narrower and scrolls if it must."""
    columns = geometry.columns
    room = columns - len(corner) - 1
    lines = wrap(text, columns)
    rows = min(geometry.rows, max(_SMALL_ROWS, len(lines) + 1))
    fits = len(lines) < rows or (len(lines) == rows and len(lines[-1]) <= room)
    picture = lines_window(lines if fits else wrap(text, room), rows, tick)
    filled = [*picture.lines, *[""] * (rows - len(picture.lines))]
    filled[-1] = filled[-1].ljust(columns - len(corner)) + corner
    return Picture(tuple(filled), picture.until)
