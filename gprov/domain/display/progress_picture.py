"""Draws the progress of a long task: a bar, its share, rate and time left as far as they are known."""

from __future__ import annotations

from gprov.domain.display.picture import Picture, row_window, text_window
from gprov.domain.display.screen import Geometry
from gprov.domain.display.text import wrap
from gprov.domain.display.timing import NEVER, TICKS_PER_SECOND
from gprov.domain.display.units import format_bytes, format_time_left
from gprov.domain.display.views import ProgressView

_SPINNER = "|/-\\"
_SPINNER_STEP = TICKS_PER_SECOND // 2
# "100 %" with a blank before it.
_SHARE_COLUMNS = 6
_BAR_LIMIT = 60
# From this size there is a row for each part.
_ROWS_FOR_ALL = 4


def spinner(tick: int) -> tuple[str, int]:
    """The spinner's character, and the tick of its next one."""
    turn = tick // _SPINNER_STEP
    return _SPINNER[turn % len(_SPINNER)], (turn + 1) * _SPINNER_STEP


def draw_progress(view: ProgressView, geometry: Geometry, tick: int) -> Picture:
    if geometry.rows >= _ROWS_FOR_ALL:
        return _large(view, geometry, tick)
    head, until = _head(view, geometry, tick)
    facts = _facts(view, geometry.columns)
    return Picture((head, facts or _bar(view, geometry.columns)), until)


def _head(view: ProgressView, geometry: Geometry, tick: int) -> tuple[str, float]:
    """The task and the share in one row."""
    share, until = _share(view, tick)
    task = row_window(view.task, geometry.columns - len(share), tick)
    return task.lines[0] + share, min(task.until, until)


def _large(view: ProgressView, geometry: Geometry, tick: int) -> Picture:
    rows = min(geometry.rows - 2, len(wrap(view.task, geometry.columns)))
    task = text_window(view.task, geometry.columns, rows, tick)
    share, until = _share(view, tick)
    bar = _bar(view, min(geometry.columns - _SHARE_COLUMNS, _BAR_LIMIT))
    return Picture((*task.lines, bar + share, _facts(view, geometry.columns)), min(task.until, until))


def _share(view: ProgressView, tick: int) -> tuple[str, float]:
    """Percent; the spinner if the total is not known."""
    if view.total <= 0:
        mark, until = spinner(tick)
        return mark.rjust(_SHARE_COLUMNS), until
    return f"{_percent(view)} %".rjust(_SHARE_COLUMNS), NEVER


def _percent(view: ProgressView) -> int:
    return min(100, max(0, view.done * 100 // view.total)) if view.total > 0 else 0


def _bar(view: ProgressView, columns: int) -> str:
    if view.total <= 0:
        return format_bytes(view.done) if view.done > 0 else ""
    inner = columns - 2
    full = min(inner, max(0, view.done * inner // view.total))
    return f"[{'#' * full}{'.' * (inner - full)}]"


def _facts(view: ProgressView, columns: int) -> str:
    """Rate and time left, as far as there is room for them."""
    rate = f"{format_bytes(view.rate)}/s" if view.rate > 0 else ""
    left = format_time_left(view.seconds_left) if view.seconds_left is not None else ""
    if not left:
        return rate[:columns]
    forms = (f"{rate}  {left} left", f"{rate} {left} left", f"{rate} {left}") if rate else (f"{left} left",)
    return next((form for form in forms if len(form) <= columns), left[:columns])
