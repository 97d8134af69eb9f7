"""HTML of tables with a bounded length. Every text is escaped where it is inserted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gprov.domain.formats.html_parts import NONE, text

# Characters of one value. A character takes up to six in HTML.
MAX_TEXT = 300
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Cell:
    """``style``: class of the cell; one of the standard page's."""

    content: str
    style: str = ""


Row = Sequence["str | Cell"]


def shown(value: str, most: int = MAX_TEXT) -> str:
    """The value as HTML text, cut if it is too long."""
    return text(value if len(value) <= most else value[: most - 1] + _ELLIPSIS)


def pairs(rows: Iterable[tuple[str, str]], room: int) -> str:
    """A table of names and values. ``room``: most characters of its HTML."""
    lines = (f"<tr><th>{shown(name)}</th><td>{shown(value) or NONE}</td></tr>\n" for name, value in rows)
    return _table("pairs", "", lines, 2, room)


def listed(heads: Sequence[str], rows: Iterable[Row], room: int) -> str:
    """A table with a heading for each column. ``room``: most characters of its HTML; a last row states how many rows
    had no room."""
    head = "".join(f"<th>{text(one)}</th>" for one in heads)
    lines = (f"<tr>{''.join(_cell(cell) for cell in row)}</tr>\n" for row in rows)
    return _table("list", f"<thead><tr>{head}</tr></thead>\n", lines, len(heads), room)


def paragraph(line: str) -> str:
    return f'<p class="none">{shown(line)}</p>\n'


def _table(kind: str, head: str, lines: Iterable[str], columns: int, room: int) -> str:
    kept: list[str] = []
    left_out, length = 0, 0
    for line in lines:
        if left_out or length + len(line) > room:
            left_out += 1
        else:
            kept.append(line)
            length += len(line)
    if not kept and not left_out:
        return paragraph("none")
    if left_out:
        note = f"{left_out} more: no room here, see the log of the unit on the factory server"
        kept.append(f'<tr><td colspan="{columns}">{text(note)}</td></tr>\n')
    return f'<table class="{kind}">\n{head}<tbody>\n{"".join(kept)}</tbody></table>\n'


def _cell(cell: str | Cell) -> str:
    content, style = (cell, "") if isinstance(cell, str) else (cell.content, cell.style)
    return f"<td{f' class={chr(34)}{style}{chr(34)}' if style else ''}>{shown(content) or NONE}</td>"
