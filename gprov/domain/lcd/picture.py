"""Picture: what a display is to show, and the commands that draw what differs from what it shows."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.display.screen import Position
from gprov.domain.formats.lcd import commands
from gprov.domain.formats.lcd.characters import encode
from gprov.domain.formats.lcd.commands import Command, CursorStyle, Legend
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import Packet

_BLANK = encode(" ")


@dataclass(frozen=True, slots=True)
class Picture:
    """``rows``: codes of the character ROM, one text per row; cells behind its end are left as they are. ``cursor``:
    None: not shown. ``legend``: of a CFA-631; empty: none."""

    rows: tuple[bytes, ...]
    cursor: Position | None = None
    legend: tuple[Legend, ...] = ()


class Shown:
    """What a display shows, as far as its responses prove it. None: not known.

    The display does not move the cursor when text is written. What the legend covered is unknown after it.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._cells: list[list[int | None]] = []
        self._position: Position | None = None
        self._style: CursorStyle | None = None
        self._legend: tuple[Legend, ...] | None = None
        self.forget()

    def forget(self) -> None:
        """Forget everything, so that all of it is drawn again."""
        self._cells = [[None] * self._model.columns for _ in range(self._model.rows)]
        self._position = self._style = self._legend = None

    def next_command(self, picture: Picture) -> Packet | None:
        """Return the next command that brings the display nearer to the picture; None: it shows it. Each row takes one
        command at most: a packet costs more time than the unchanged cells in it."""
        if self._model is Model.CFA_631 and self._legend != picture.legend:
            return commands.key_legend(picture.legend)
        for row, codes in enumerate(picture.rows):
            changed = [column for column, code in enumerate(codes) if self._cells[row][column] != code]
            if changed:
                start, end = changed[0], changed[-1] + 1
                return commands.write_text(self._model, start, row, codes[start:end])
        cursor = picture.cursor
        if cursor is not None and self._position != cursor:
            return commands.cursor_position(self._model, cursor.column, cursor.row)
        style = CursorStyle.NONE if cursor is None else CursorStyle.BLINKING_BLOCK
        return None if self._style == style else commands.cursor_style(style)

    def apply(self, command: Packet) -> None:
        """Record that the display has executed a command (or refuses it: sending it again would not help)."""
        data = command.data
        match command.code:
            case Command.CLEAR:
                self._cells = [[_BLANK[0]] * self._model.columns for _ in range(self._model.rows)]
                self._position = Position(0, 0)
            case Command.WRITE_TEXT:
                column, row = data[:2]
                self._cells[row][column : column + len(data) - 2] = data[2:]
            case Command.CURSOR_POSITION:
                self._position = Position(*data)
            case Command.CURSOR_STYLE:
                self._style = CursorStyle(data[0])
            case Command.KEY_LEGEND:
                self._forget_covered_cells()
                self._legend = tuple(Legend(symbol) for symbol in data[1:])
            case _:
                pass

    def _forget_covered_cells(self) -> None:
        for cells in self._cells:
            cells[-commands.LEGEND_COLUMNS :] = [None] * commands.LEGEND_COLUMNS
