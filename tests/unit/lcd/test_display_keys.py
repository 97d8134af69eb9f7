"""Keys of displays: what they mean in each view, and which presses count."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gprov.domain.display.keys import Key
from gprov.domain.display.views import (
    KeyWindowView,
    MenuView,
    MessageView,
    PasswordView,
    ProgressView,
    QuestionView,
    View,
)
from gprov.domain.formats.lcd.commands import Legend
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import BUTTONS_631, BUTTONS_635, Button, KeyReport
from gprov.domain.lcd.drawing import draw
from gprov.domain.lcd.keys import KeyPresses, legend, meanings

ITEMS = ("Resume", "Power off", "", "Data Erase")
MENU = MenuView("Boot menu", ITEMS, 1)
QUESTION = QuestionView("Erase all disks?")
ERASE = QuestionView("Really erase all disks?")
PASSWORD = PasswordView("Password", 3)
TEXT = MessageView("Starting")
EXITS = (Button.EXIT, Button.LOWER_RIGHT)


def keys(presses: KeyPresses, reports: Sequence[KeyReport], drawn: View | None, wanted: View | None) -> list[Key]:
    found = [presses.accept(report, drawn, wanted) for report in reports]
    return [key for key in found if key is not None]


def stroke(button: Button) -> list[KeyReport]:
    return [KeyReport(button, True), KeyReport(button, False)]


@pytest.mark.parametrize("view", [MENU, QUESTION, TEXT, None])
def test_the_six_keys_mean_what_they_are(view: View | None) -> None:
    strokes = [report for button in BUTTONS_635 for report in stroke(button)]
    assert keys(KeyPresses(), strokes, view, view) == [Key[button.name] for button in BUTTONS_635]


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (MENU, [Key.UP, Key.ENTER, Key.DOWN, Key.EXIT]),
        (QUESTION, [Key.LEFT, Key.ENTER, Key.RIGHT, Key.EXIT]),
        (KeyWindowView("Press any key", 10), [Key.UP, Key.ENTER, Key.DOWN, Key.EXIT]),
    ],
)
def test_the_four_keys_mean_what_the_view_needs(view: View, expected: list[Key]) -> None:
    corners = (Button.UPPER_LEFT, Button.UPPER_RIGHT, Button.LOWER_LEFT, Button.LOWER_RIGHT)
    assert [key for corner in corners for key in keys(KeyPresses(), stroke(corner), view, view)] == expected


@pytest.mark.parametrize(
    ("view", "symbols"),
    [
        (MenuView("", ITEMS, 0), (Legend.BLANK, Legend.CHECK, Legend.DOWN, Legend.EXIT)),
        (MenuView("", ITEMS, 1), (Legend.UP, Legend.CHECK, Legend.DOWN, Legend.EXIT)),
        (MenuView("", ITEMS, 3), (Legend.UP, Legend.CHECK, Legend.BLANK, Legend.EXIT)),
        (QUESTION, (Legend.LEFT, Legend.CHECK, Legend.RIGHT, Legend.EXIT)),
        (TEXT, ()),
        (ProgressView(task="Restoring", done=1, total=2), ()),
    ],
)
def test_the_legend_shows_the_keys_that_do_something(view: View, symbols: tuple[Legend, ...]) -> None:
    assert legend(view) == symbols
    for symbol, corner in zip(symbols, (13, 14, 15, 16), strict=False):
        key = meanings(view)[Button(corner)]
        names = {Key.ENTER: "CHECK"}
        assert symbol in (Legend.BLANK, Legend[names.get(key, key.name)])


@pytest.mark.parametrize("buttons", [BUTTONS_635, BUTTONS_631])
def test_at_a_password_a_display_can_cancel_and_nothing_else(buttons: Sequence[Button]) -> None:
    pressed = {button: keys(KeyPresses(), stroke(button), PASSWORD, PASSWORD) for button in buttons}
    assert pressed == {button: [Key.EXIT if button in EXITS else Key.OTHER] for button in buttons}


def test_the_text_leaves_the_legend_its_columns() -> None:
    assert [len(row) for row in draw(MENU, Model.CFA_631, 0).rows] == [17, 17]
    assert [len(row) for row in draw(TEXT, Model.CFA_631, 0).rows] == [20, 20]
    assert [len(row) for row in draw(MENU, Model.CFA_635, 0).rows] == [20] * 4
    assert draw(MENU, Model.CFA_635, 0).legend == ()
    assert draw(MENU, Model.CFA_631, 0).cursor is not None


def test_a_release_without_press_is_ignored() -> None:
    presses = KeyPresses()
    assert presses.accept(KeyReport(Button.ENTER, False), TEXT, TEXT) is None
    assert keys(presses, stroke(Button.ENTER), TEXT, TEXT) == [Key.ENTER]
    assert presses.accept(KeyReport(Button.ENTER, False), TEXT, TEXT) is None


def test_keys_that_are_held_together_are_told_apart() -> None:
    up, enter = stroke(Button.UP), stroke(Button.ENTER)
    assert keys(KeyPresses(), [up[0], enter[0], up[1], enter[1]], TEXT, TEXT) == [Key.UP, Key.ENTER]


@pytest.mark.parametrize(("drawn", "wanted"), [(MENU, QUESTION), (QUESTION, ERASE), (ERASE, MENU), (None, QUESTION)])
def test_a_key_does_not_answer_what_was_not_shown_when_it_was_pressed(drawn: View | None, wanted: View) -> None:
    presses = KeyPresses()
    press, release = stroke(Button.ENTER)
    assert presses.accept(press, drawn, drawn) is None
    assert presses.accept(release, wanted, wanted) is None
    # Pressed again while the other dialog is still on the display.
    assert keys(presses, [press, release], drawn, wanted) == []
    assert keys(presses, [press, release], wanted, wanted) == [Key.ENTER]


def test_where_any_key_is_accepted_a_press_from_before_counts() -> None:
    window = KeyWindowView("Press any key", 10)
    press, release = stroke(Button.EXIT)
    presses = KeyPresses()
    presses.accept(press, TEXT, window)
    assert presses.accept(release, window, window) is Key.EXIT
    # A press from before the start does not.
    assert presses.accept(release, window, window) is None


def test_a_key_counts_while_its_dialog_moves_on() -> None:
    """The cursor of the same menu has moved, the selected answer has changed, progress goes on."""
    for before, after in (
        (MENU, MenuView("Boot menu", ITEMS, 3)),
        (QUESTION, QuestionView("Erase all disks?", yes=True)),
        (ProgressView(task="a", done=1, total=2), ProgressView(task="b", done=2, total=2)),
    ):
        presses = KeyPresses()
        press, release = stroke(Button.DOWN)
        presses.accept(press, before, before)
        assert presses.accept(release, after, after) is Key.DOWN
