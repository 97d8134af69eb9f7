"""Content of a display: rows of characters, and where the cursor is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Geometry:
    """Size of a display in characters."""

    columns: int
    rows: int


LCD_2X20 = Geometry(20, 2)
LCD_4X20 = Geometry(20, 4)
CONSOLE = Geometry(80, 25)


@dataclass(frozen=True, slots=True)
class Position:
    """``column`` and ``row`` from 0."""

    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Screen:
    """``lines``: one per row of the display, each as long as it has columns, printable ASCII. ``cursor``: None: not
    shown. Raises ValueError for lines of different lengths, other characters and a cursor outside."""

    lines: tuple[str, ...]
    cursor: Position | None = None

    def __post_init__(self) -> None:
        if not self.lines or any(len(line) != len(self.lines[0]) for line in self.lines):
            raise ValueError("lines of a screen have one length")
        if not all(line.isascii() and line.isprintable() for line in self.lines):
            raise ValueError("lines of a screen hold printable ASCII only")
        cursor = self.cursor
        if cursor is not None and not (0 <= cursor.column < len(self.lines[0]) and 0 <= cursor.row < len(self.lines)):
            raise ValueError(f"cursor {cursor} is outside the screen")

    @property
    def geometry(self) -> Geometry:
        return Geometry(len(self.lines[0]), len(self.lines))
