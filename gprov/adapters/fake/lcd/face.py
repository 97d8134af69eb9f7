"""What can be seen on a simulated display at one instant."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.formats.lcd.characters import decode
from gprov.domain.formats.lcd.commands import LEGEND_COLUMNS, Legend
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import Button

_SYMBOLS = {
    Legend.BLANK: " ",
    Legend.EXIT: "✗",
    Legend.CHECK: "✓",
    Legend.UP: "▲",
    Legend.DOWN: "▼",
    Legend.RIGHT: "▶",
    Legend.LEFT: "◀",
    Legend.PLUS: "+",
    Legend.MINUS: "-",
    Legend.NONE: " ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LcdFace:
    """``rows``: the codes of the cells. ``cursor``: column and row, None: not shown. ``legend``: of the keys upper
    left, upper right, lower left and lower right, empty: not shown. ``backlight``: percent. ``down``: the keys that are
    held."""

    model: Model
    rows: tuple[bytes, ...]
    cursor: tuple[int, int] | None
    legend: tuple[Legend, ...]
    backlight: int
    down: frozenset[Button]

    @property
    def lines(self) -> tuple[str, ...]:
        """Text of the rows. The legend covers the last columns of both rows."""
        texts = [decode(row) for row in self.rows]
        if not self.legend:
            return tuple(texts)
        signs = [_SYMBOLS[symbol] for symbol in self.legend]
        covers = (f"{signs[0]} {signs[1]}", f"{signs[2]} {signs[3]}")
        return tuple(text[:-LEGEND_COLUMNS] + cover for text, cover in zip(texts, covers, strict=True))

    @property
    def text(self) -> str:
        """The rows without blanks at their ends, as lines."""
        return "\n".join(line.rstrip() for line in self.lines)
