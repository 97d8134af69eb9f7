"""Draws views on displays of any size from 16 x 2. Pure: what moves follows from the time since a view was shown."""

from __future__ import annotations

from gprov.domain.display.dialog_pictures import draw_menu, draw_password, draw_question
from gprov.domain.display.picture import Picture, text_window, with_corner
from gprov.domain.display.progress_picture import draw_progress, spinner
from gprov.domain.display.screen import Geometry, Screen
from gprov.domain.display.timing import Countdown, to_seconds, to_ticks
from gprov.domain.display.views import (
    KeyWindowView,
    MenuView,
    MessageView,
    PasswordView,
    ProgressView,
    QuestionView,
    View,
)


def render(view: View, geometry: Geometry, seconds: float) -> Screen:
    """``geometry``: at least 16 columns and 2 rows. ``seconds``: since the view was first shown; if it ``continues``
    the one before, since that was."""
    return _draw(view, geometry, to_ticks(seconds)).screen(geometry)


def next_change(view: View, geometry: Geometry, seconds: float) -> float:
    """Until when the picture of ``render`` stays as it is, in seconds since the view was first shown; later than
    ``seconds``. Infinity: for ever."""
    return to_seconds(_draw(view, geometry, to_ticks(seconds)).until)


def continues(before: View, view: View) -> bool:
    """Whether ``view`` shows the same as ``before`` but for a state that changes while a person reads: then what moves
    goes on moving. Progress would otherwise never move, and a question would begin anew with each key."""
    match before, view:
        case ProgressView(), ProgressView():
            return before.task == view.task
        case QuestionView(), QuestionView():
            return before.question == view.question
        case MenuView(), MenuView():
            return (before.title, before.items, before.selected) == (view.title, view.items, view.selected)
        case PasswordView(), PasswordView():
            return before.prompt == view.prompt
        case _:
            return before == view


def _draw(view: View, geometry: Geometry, tick: int) -> Picture:
    match view:
        case MessageView():
            return _message(view, geometry, tick)
        case ProgressView():
            return draw_progress(view, geometry, tick)
        case MenuView():
            return draw_menu(view, geometry, tick)
        case QuestionView():
            return draw_question(view, geometry, tick)
        case KeyWindowView():
            return _key_window(view, geometry, tick)
        case PasswordView():
            return draw_password(view, geometry, tick)


def _message(view: MessageView, geometry: Geometry, tick: int) -> Picture:
    if not view.busy:
        return text_window(view.text, geometry.columns, geometry.rows, tick)
    mark, until = spinner(tick)
    picture = with_corner(view.text, mark, geometry, tick)
    return Picture(picture.lines, min(picture.until, until))


def _key_window(view: KeyWindowView, geometry: Geometry, tick: int) -> Picture:
    countdown = Countdown(view.seconds)
    picture = with_corner(view.text, f"{countdown.left(tick)} s", geometry, tick)
    return Picture(picture.lines, min(picture.until, countdown.next_change(tick)))
