"""Dialogs: any sequence of keys and characters, and what each of them does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.display.choice import NoChoice
from gprov.domain.display.dialogs.dialog import Dialog, Ended
from gprov.domain.display.dialogs.menu import Choice, MenuDialog
from gprov.domain.display.dialogs.password import PasswordDialog
from gprov.domain.display.dialogs.question import QuestionDialog
from gprov.domain.display.keys import Input, Key, Typed
from gprov.domain.display.render import render
from gprov.domain.display.screen import CONSOLE
from gprov.domain.display.views import MenuView, PasswordView, QuestionView
from gprov.domain.unit.credentials import Secret

BACK = Typed("\b")
INPUTS = st.lists(
    st.sampled_from(Key) | st.sampled_from([Typed(character) for character in "0123yesnox \b"]), max_size=60
)
ITEMS = st.lists(st.sampled_from(["", "first", "second"]), max_size=13).map(tuple)


def typed(text: str) -> list[Input]:
    """Keys of a keyboard; a line feed is Enter."""
    return [Key.ENTER if character == "\n" else Typed(character) for character in text]


def run(dialog: Dialog[Choice] | Dialog[bool] | Dialog[Secret | None], *entered: Input) -> object:
    """The state after the input; what comes after the end is not used."""
    state: object = dialog
    for one in entered:
        assert not isinstance(state, Ended), "ended too early"
        state = dialog.after(one)  # the types of the three dialogs differ in their answers only
        if isinstance(state, Ended):
            return state.answer
        dialog = state
    return dialog


# --- menus ------------------------------------------------------------------------------------------------------------


@given(ITEMS, INPUTS)
def test_a_menu_ends_only_by_enter_and_exit_and_its_selection_stays_in_range(
    items: tuple[str, ...], inputs: list[Input]
) -> None:
    dialog: Dialog[Choice] = MenuDialog("Menu", items)
    for entered in inputs:
        before = dialog.view
        assert isinstance(before, MenuView)
        assert before.selected in range(max(1, len(items)))
        render(before, CONSOLE, 0)
        state = dialog.after(entered)
        if not isinstance(state, Ended):
            dialog = state
            continue
        if entered is Key.EXIT:
            assert state.answer is NoChoice.LEFT
        else:
            assert entered is Key.ENTER
            assert state.answer == before.selected
            assert items
            assert before.typed == "" or places(items)[int(before.typed)] == state.answer
        return


def places(items: Sequence[str]) -> dict[int, int]:
    """Index of each number, counted in another way than the code does."""
    found: dict[int, int] = {}
    for index, item in enumerate(items):
        if item != "":
            found[len(found) + 1] = index
    return found


MENU = MenuDialog("Boot menu", ("Resume", "", "Restore", "Erase"))
UP, DOWN, ENTER = Key.UP, Key.DOWN, Key.ENTER


@pytest.mark.parametrize(
    ("entered", "choice"),
    [
        ([ENTER], 0),
        ([DOWN, ENTER], 1),
        ([DOWN, DOWN, ENTER], 2),
        ([DOWN, DOWN, UP, ENTER], 1),
        ([UP, ENTER], 0),
        ([DOWN] * 9 + [ENTER], 3),
        ([DOWN] * 9 + [UP, ENTER], 2),
        ([Key.LEFT, Key.RIGHT, Key.OTHER, ENTER], 0),
        ([Key.EXIT], NoChoice.LEFT),
        (typed("1\n"), 0),
        (typed("2\n"), 2),
        (typed("3\n"), 3),
        (typed(" 3 \n"), 3),
        (typed("03\n"), 3),
        (typed("9\b2\n"), 2),
        (typed("\b\b1\n"), 0),
        (typed("0\n4\nxyz\n3\n"), 3),
        (typed("1" * 40 + "\n2\n"), 2),
        ([*typed("3"), UP, ENTER], 2),
        ([*typed("x"), DOWN, ENTER], 1),
        (typed("3\b\n"), 3),
    ],
)
def test_choosing_from_a_menu(entered: list[Input], choice: Choice) -> None:
    assert run(MENU, *entered) == choice


def test_what_is_typed_selects_the_item_and_is_shown() -> None:
    state = run(MENU, *typed("2"))
    assert isinstance(state, MenuDialog)
    assert state.view == MenuView("Boot menu", MENU.items, 2, "2")


def test_more_than_nine_items_are_selected_by_two_digits() -> None:
    dialog = MenuDialog("Images", tuple(f"image {number}" for number in range(12)))
    assert run(dialog, *typed("12\n")) == 11


def test_an_empty_menu_can_only_be_left() -> None:
    assert run(MenuDialog("Nothing", ()), ENTER, DOWN, *typed("1\n"), Key.EXIT) is NoChoice.LEFT


# --- questions --------------------------------------------------------------------------------------------------------


@given(INPUTS)
def test_a_question_is_answered_only_by_enter_and_exit_and_never_yes_by_accident(inputs: list[Input]) -> None:
    dialog: Dialog[bool] = QuestionDialog("Erase everything?")
    for entered in inputs:
        before = dialog.view
        assert isinstance(before, QuestionView)
        render(before, CONSOLE, 0)
        state = dialog.after(entered)
        if not isinstance(state, Ended):
            dialog = state
            continue
        if entered is Key.EXIT:
            assert state.answer is False
        else:
            assert entered is Key.ENTER
            expected = before.yes if not before.typed else before.typed.strip().lower() in ("y", "yes")
            assert state.answer is expected
        return


@pytest.mark.parametrize(
    ("entered", "answer"),
    [
        ([ENTER], False),
        ([Key.RIGHT, ENTER], True),
        ([Key.LEFT, ENTER], True),
        ([UP, ENTER], True),
        ([DOWN, DOWN, ENTER], False),
        ([Key.RIGHT, Key.EXIT], False),
        ([Key.OTHER, ENTER], False),
        (typed("yes\n"), True),
        (typed("Y\n"), True),
        (typed(" YES \n"), True),
        (typed("no\n"), False),
        (typed("n\n"), False),
        (typed("perhaps\nyes\n"), True),
        (typed("yesno\nno\n"), False),
        ([*typed("no"), Key.RIGHT, ENTER], True),
        ([Key.RIGHT, *typed("no\n")], False),
        ([Key.RIGHT, *typed("x\n"), ENTER], True),
        (typed("yess\b\n"), True),
    ],
)
def test_answering_a_question(entered: list[Input], answer: bool) -> None:
    assert run(QuestionDialog("Sure?"), *entered) is answer


# --- passwords --------------------------------------------------------------------------------------------------------


@given(INPUTS)
def test_a_password_is_what_was_typed_and_is_never_shown(inputs: list[Input]) -> None:
    dialog: Dialog[Secret | None] = PasswordDialog("Password")
    text = ""
    for entered in inputs:
        assert dialog.view == PasswordView("Password", len(text))
        assert repr(dialog) == repr(PasswordDialog("Password"))
        state = dialog.after(entered)
        if isinstance(state, Ended):
            assert entered is Key.EXIT or (entered is Key.ENTER and text)
            assert state.answer == (Secret(text) if entered is Key.ENTER else None)
            return
        assert entered is not Key.EXIT
        assert entered is not Key.ENTER or not text
        dialog = state
        if entered == BACK:
            text = text[:-1]
        elif isinstance(entered, Typed):
            text += entered.character


def test_a_password_keeps_its_blanks_and_has_an_end() -> None:
    assert run(PasswordDialog("Password"), *typed(" a b \n")) == Secret(" a b ")
    assert run(PasswordDialog("Password"), *typed("x" * 500 + "\n")) == Secret("x" * 256)
