"""Draws the views of dialogs: menus, questions and the input of a password."""

from __future__ import annotations

from collections.abc import Sequence

from gprov.domain.display.numbers import numbered
from gprov.domain.display.picture import Picture, row_window, text_window
from gprov.domain.display.screen import Geometry, Position
from gprov.domain.display.text import one_line, wrap
from gprov.domain.display.timing import NEVER
from gprov.domain.display.views import MenuView, PasswordView, QuestionView

MARKER = ">"
# From this size a menu has a title.
_ROWS_FOR_TITLE = 4
# From this size it is a console with a keyboard: lines have numbers, and there is a line for what is typed.
_CONSOLE = Geometry(40, 12)


def menu_prompt(items: Sequence[str]) -> str:
    return f"Number (1-{len(numbered(items))}) and Enter: "


QUESTION_PROMPT = "(yes or no) "


def draw_menu(view: MenuView, geometry: Geometry, tick: int) -> Picture:
    if _is_console(geometry):
        return _console_menu(view, geometry, tick)
    if geometry.rows < _ROWS_FOR_TITLE:
        return _items(view, geometry.columns, geometry.rows, tick, first_row=0)
    title = row_window(view.title, geometry.columns, tick)
    items = _items(view, geometry.columns, geometry.rows - 1, tick, first_row=1)
    return Picture((*title.lines, *items.lines), min(title.until, items.until), items.cursor)


def _items(
    view: MenuView, columns: int, rows: int, tick: int, *, first_row: int, numbers: Sequence[str] = ()
) -> Picture:
    """Rows of a menu around the selected item; long items move. ``numbers``: in front of each item."""
    if not view.items:
        return Picture(("",) * rows)
    selected = min(max(0, view.selected), len(view.items) - 1)
    first = min(max(0, selected - rows // 2), max(0, len(view.items) - rows))
    lines: list[str] = []
    until = NEVER
    for index in range(first, min(first + rows, len(view.items))):
        head = (MARKER if index == selected else " ") + (numbers[index] if numbers else "")
        item = row_window(view.items[index], columns - len(head), tick)
        until = min(until, item.until)
        lines.append(head + item.lines[0])
    return Picture(tuple(lines), until, Position(0, first_row + selected - first))


def _console_menu(view: MenuView, geometry: Geometry, tick: int) -> Picture:
    columns = geometry.columns - 1
    title = text_window(view.title, columns, 2, tick)
    places = {index: number for number, index in enumerate(numbered(view.items), 1)}
    numbers = [f"{places[index]:>3}  " if index in places else " " * 5 for index in range(len(view.items))]
    # Blank lines around the items, and the line of what is typed.
    rows = min(len(view.items), geometry.rows - len(title.lines) - 3)
    items = _items(view, columns, rows, tick, first_row=len(title.lines) + 1, numbers=numbers)
    prompt = menu_prompt(view.items)
    typed = _tail(view.typed, columns - len(prompt) - 1)
    lines = (*title.lines, "", *items.lines, "", prompt + typed)
    cursor = Position(len(prompt + typed), len(lines) - 1)
    return Picture(lines, min(title.until, items.until), cursor)


def draw_question(view: QuestionView, geometry: Geometry, tick: int) -> Picture:
    """The question scrolls; the answers stay visible."""
    answers, place = _answers(view.yes)
    if _is_console(geometry):
        columns = geometry.columns - 1
        question = text_window(view.question, columns, geometry.rows - 4, tick)
        typed = _tail(view.typed, columns - len(QUESTION_PROMPT) - 1)
        lines = (*question.lines, "", answers, "", QUESTION_PROMPT + typed)
        return Picture(lines, question.until, Position(len(QUESTION_PROMPT + typed), len(lines) - 1))
    rows = geometry.rows - 1
    question = text_window(view.question, geometry.columns, rows, tick)
    filled = (*question.lines, *[""] * (rows - len(question.lines)))
    return Picture((*filled, answers), question.until, Position(place, rows))


def _answers(yes: bool) -> tuple[str, int]:
    """The row of answers, and the column of the selected one."""
    no, yes_ = (" ", MARKER) if yes else (MARKER, " ")
    row = f"{no}No    {yes_}Yes"
    return row, row.index(MARKER)


def draw_password(view: PasswordView, geometry: Geometry, tick: int) -> Picture:
    columns = geometry.columns - 1
    rows = min(geometry.rows - 1, len(wrap(view.prompt, columns)))
    prompt = text_window(view.prompt, columns, rows, tick)
    stars = "*" * min(max(0, view.length), columns - 1)
    lines = (*prompt.lines, stars)
    return Picture(lines, prompt.until, Position(len(stars), len(lines) - 1))


def _tail(typed: str, columns: int) -> str:
    """The end of what was typed."""
    text = one_line(typed)
    return text[max(0, len(text) - columns) :]


def _is_console(geometry: Geometry) -> bool:
    return geometry.rows >= _CONSOLE.rows and geometry.columns >= _CONSOLE.columns
