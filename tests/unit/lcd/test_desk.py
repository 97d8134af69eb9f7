"""What the thread of a display and its users exchange: keys act in the dialog in which they were pressed."""

from __future__ import annotations

import select
from collections.abc import Iterator

import pytest

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.lcd.desk import Desk
from gprov.domain.display.keys import Key
from gprov.domain.display.views import KeyWindowView, MenuView, MessageView, PasswordView, QuestionView, View

MENU = MenuView("Boot menu", ("Resume", "Data Erase"), 1)
DIALOGS = pytest.mark.parametrize(
    ("before", "dialog"),
    [
        (MENU, QuestionView("Erase everything?")),
        (QuestionView("Erase everything?"), QuestionView("Really?")),
        (MessageView("Restoring"), MENU),
        (KeyWindowView("Any key", 10), PasswordView("Password", 0)),
        (None, MENU),
    ],
)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk(FakeClock())
    yield desk
    desk.release()


def is_readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def show(desk: Desk, view: View | None) -> None:
    if view is not None:
        desk.show(view)


@DIALOGS
def test_a_key_that_was_not_read_does_not_act_in_the_next_dialog(desk: Desk, before: View | None, dialog: View) -> None:
    show(desk, before)
    desk.put_key(Key.ENTER, desk.wanted())
    desk.show(dialog)
    assert not is_readable(desk.keys)
    assert desk.take_keys() == ()


@DIALOGS
def test_a_key_that_comes_while_a_dialog_opens_does_not_act_in_it(
    desk: Desk, before: View | None, dialog: View
) -> None:
    show(desk, before)
    wanted = desk.wanted()
    desk.show(dialog)
    desk.put_key(Key.ENTER, wanted)
    assert not is_readable(desk.keys)
    assert desk.take_keys() == ()


def test_keys_of_one_dialog_are_kept_while_its_state_changes(desk: Desk) -> None:
    desk.show(MENU)
    wanted = desk.wanted()
    desk.put_key(Key.UP, wanted)
    desk.show(MenuView(MENU.title, MENU.items, 0))
    desk.put_key(Key.ENTER, wanted)
    assert is_readable(desk.keys)
    assert desk.take_keys() == (Key.UP, Key.ENTER)


def test_a_key_of_the_key_window_is_kept_when_a_message_follows(desk: Desk) -> None:
    desk.show(KeyWindowView("Any key", 10))
    wanted = desk.wanted()
    desk.show(MessageView("Starting the system"))
    desk.put_key(Key.ENTER, wanted)
    assert desk.take_keys() == (Key.ENTER,)
