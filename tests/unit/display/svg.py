"""SVG of LCDs and of a console. Each character has its own place, so that a picture is the same with every font."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

FONT = "'DejaVu Sans Mono', Menlo, Consolas, monospace"
MARGIN = 12
CAPTION = 20


@dataclass(frozen=True, kw_only=True)
class Style:
    """``cell``: width and height of a character, ``gap`` between two; all in pixels. Colours: of the case around the
    characters, between them, of each cell, and of text."""

    cell: tuple[int, int]
    gap: int
    size: int
    case: str
    glass: str
    ground: str
    ink: str


LCD = Style(cell=(13, 22), gap=2, size=17, case="#2b2f2b", glass="#a5cf45", ground="#b5e04d", ink="#16200a")
TERMINAL = Style(cell=(8, 17), gap=0, size=13, case="#101418", glass="#101418", ground="#101418", ink="#d8dee4")


@dataclass(frozen=True)
class Panel:
    """One device: a caption, the characters of each row, and column and row of the cursor, None: not shown."""

    caption: str
    lines: Sequence[str]
    cursor: tuple[int, int] | None
    style: Style

    @property
    def width(self) -> int:
        return len(self.lines[0]) * (self.style.cell[0] + self.style.gap) + 2 * MARGIN

    @property
    def height(self) -> int:
        return len(self.lines) * (self.style.cell[1] + self.style.gap) + 2 * MARGIN + CAPTION

    def draw(self, left: int, top: int) -> list[str]:
        """Elements of the device with its upper left corner there."""
        style, case_top = self.style, top + CAPTION
        case = f'width="{self.width}" height="{self.height - CAPTION}" rx="6" fill="{style.case}"'
        drawn = [
            f'<text x="{left}" y="{top + CAPTION - 7}" font-size="12" fill="#6a737d">{escape(self.caption)}</text>',
            f'<rect x="{left}" y="{case_top}" {case}/>',
        ]
        if style.glass != style.case:
            inner = self.width - MARGIN, self.height - CAPTION - MARGIN
            drawn.append(_cells([left + MARGIN // 2], case_top + MARGIN // 2, inner, style.glass))
        for row, line in enumerate(self.lines):
            drawn += self._row(line, row, left + MARGIN, case_top + MARGIN)
        return drawn

    def _row(self, line: str, row: int, left: int, top: int) -> list[str]:
        style, (width, height) = self.style, self.style.cell
        y = top + row * (height + style.gap)
        places = [left + column * (width + style.gap) for column in range(len(line))]
        drawn = [_cells(places, y, style.cell, style.ground)] if style.ground != style.glass else []
        at = self.cursor[0] if self.cursor is not None and self.cursor[1] == row else None
        plain = {column for column in range(len(line)) if column != at}
        drawn += self._text(line, plain, places, y, style.ink)
        if at is not None:
            drawn.append(_cells([places[at]], y, style.cell, style.ink))
            drawn += self._text(line, {at}, places, y, style.ground)
        return drawn

    def _text(self, line: str, columns: set[int], places: Sequence[int], y: int, colour: str) -> list[str]:
        """These characters of a row, each in the middle of its cell; none if they are blanks."""
        inked = [column for column in sorted(columns) if line[column] != " "]
        if not inked:
            return []
        width, height = self.style.cell
        x = " ".join(f"{places[column] + width / 2:g}" for column in inked)
        place = f'x="{x}" y="{y + round(height * 0.75)}" font-size="{self.style.size}" text-anchor="middle"'
        return [f'<text {place} fill="{colour}">{escape("".join(line[column] for column in inked))}</text>']


def _cells(places: Sequence[int], y: int, cell: tuple[int, int], colour: str) -> str:
    width, height = cell
    return f'<path fill="{colour}" d="{"".join(f"M{x} {y}h{width}v{height}h-{width}z" for x in places)}"/>'


def document(rows: Sequence[Sequence[Panel]]) -> str:
    """Panels of a row side by side, rows below each other."""
    drawn: list[str] = []
    top = width = 0
    for row in rows:
        left = 0
        for panel in row:
            drawn += panel.draw(left, top)
            left += panel.width + MARGIN
        top += max(panel.height for panel in row) + MARGIN
        width = max(width, left)
    wide, high = width - MARGIN, top - MARGIN
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
    return "\n".join([f'{head} font-family="{FONT}">', *drawn, "</svg>", ""])
