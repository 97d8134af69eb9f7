"""Contract of the panel port. The panel of the simulated machine keeps it in unit tests, that of units on
pseudo-terminals in tests/integ/boot: each has a class of tests that inherits these, and a fixture ``site``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest

from gprov.domain.display.keys import Input, Key, Typed
from gprov.domain.display.views import (
    KeyWindowView,
    MenuView,
    MessageView,
    PasswordView,
    ProgressView,
    QuestionView,
    View,
)
from gprov.domain.platform.model import Lcd
from gprov.ports.clock import Clock
from gprov.ports.display import Panel

# Input that was entered is there within this time.
DEADLINE = 20.0
# So long no input is waited for.
SHORT = 0.2

# Each kind of view, and a text of it that a person sees; "": consoles show it in their log or not at all.
VIEWS: Sequence[tuple[View, str]] = (
    (MessageView("Factory restore done"), "Factory restore done"),
    (KeyWindowView("Press any key for the boot menu", 10), "Press any key for the boot menu"),
    (MenuView("Which image?", ("first", "", "second"), 0), "Which image?"),
    (QuestionView("Power off?"), "Power off?"),
    (PasswordView("Password of the administrator", 3), "Password of the administrator"),
    (ProgressView(task="unpack", done=1, total=2), ""),
    (MessageView(""), ""),
)


class Site(Protocol):
    """A unit with one display, which ``come`` attaches, and a person there."""

    panel: Panel
    clock: Clock

    def come(self) -> None: ...

    def enter(self, *entered: Input) -> None:
        """What the person types and presses, one after the other. Characters in a row are typed at once."""

    def sees(self, text: str) -> bool:
        """Whether the person has the text in front of them now."""


class PanelContract:
    # --- without a display

    def test_nothing_is_present_without_a_display(self, site: Site) -> None:
        assert not site.panel.is_present
        assert site.panel.lcd is Lcd.NONE

    def test_without_a_display_reading_takes_its_time(self, site: Site) -> None:
        started = site.clock.monotonic()
        assert site.panel.read(SHORT) is None
        assert site.clock.monotonic() - started >= SHORT

    @pytest.mark.parametrize("view", [view for view, _ in VIEWS])
    def test_every_view_may_be_shown_without_a_display(self, site: Site, view: View) -> None:
        site.panel.show(view)
        site.panel.show_status(view)
        site.panel.discard_input()
        site.panel.close()
        assert not site.panel.is_present

    def test_a_display_that_comes_late_is_noticed(self, site: Site) -> None:
        site.panel.show(MessageView("nothing shows this"))
        before = site.panel.is_present
        site.come()
        assert (before, site.panel.is_present) == (False, True)
        assert site.panel.lcd is Lcd.NONE  # it is a console

    # --- showing

    @pytest.mark.parametrize(("view", "text"), VIEWS)
    def test_a_person_sees_every_view(self, site: Site, view: View, text: str) -> None:
        site.come()
        assert not text or not site.sees(text)
        site.panel.show(view)
        assert site.sees(text)

    def test_a_dialog_is_replaced_by_what_is_shown_next(self, site: Site) -> None:
        site.come()
        site.panel.show(QuestionView("Power off?"))
        site.panel.show(MenuView("Which image?", ("first", "second"), 0))
        assert not site.sees("Power off?")
        assert site.sees("Which image?")
        site.panel.show(MessageView("Factory restore"))
        assert not site.sees("Which image?")
        assert site.sees("Factory restore")

    # --- input

    def test_input_is_read_one_by_one_in_order(self, site: Site) -> None:
        site.come()
        site.panel.show(QuestionView("Power off?"))
        entered = (Typed("y"), Typed("e"), Key.DOWN, Key.LEFT, Typed("\b"), Key.ENTER)
        site.enter(*entered)
        assert tuple(site.panel.read(DEADLINE) for _ in entered) == entered
        assert site.panel.read(SHORT) is None

    def test_reading_ends_with_the_input_or_with_the_time(self, site: Site) -> None:
        site.come()
        site.panel.show(QuestionView("Power off?"))
        started = site.clock.monotonic()
        assert site.panel.read(0) is None
        assert site.clock.monotonic() - started < DEADLINE / 2
        assert site.panel.read(SHORT) is None
        assert site.clock.monotonic() - started >= SHORT
        site.enter(Key.ENTER)
        assert site.panel.read(DEADLINE) is Key.ENTER
        assert site.clock.monotonic() - started < DEADLINE / 2

    def test_input_outside_of_dialogs_is_read_too(self, site: Site) -> None:
        """As in the key window."""
        site.come()
        site.panel.show(KeyWindowView("Press any key for the boot menu", 10))
        site.enter(Typed("x"))
        assert site.panel.read(DEADLINE) == Typed("x")

    def test_discarded_input_is_not_read(self, site: Site) -> None:
        site.come()
        site.panel.show(QuestionView("Power off?"))
        site.enter(Typed("y"), Typed("e"), Typed("s"))
        assert site.panel.read(DEADLINE) == Typed("y")
        site.panel.discard_input()
        assert site.panel.read(SHORT) is None
        site.enter(Key.EXIT)
        assert site.panel.read(DEADLINE) is Key.EXIT

    # --- closing

    def test_what_is_shown_stays_when_the_panel_is_closed(self, site: Site) -> None:
        site.come()
        site.panel.show(MessageView("The unit is switched off"))
        site.panel.close()
        assert site.sees("The unit is switched off")

    def test_a_closed_panel_is_opened_anew_by_each_method(self, site: Site) -> None:
        site.come()
        site.panel.show(QuestionView("Power off?"))
        site.panel.close()
        site.panel.close()
        assert site.panel.is_present
        site.panel.close()
        site.panel.discard_input()
        site.panel.close()
        site.panel.show(QuestionView("Really?"))
        assert site.sees("Really?")
        site.panel.close()
        site.panel.show(QuestionView("Power off?"))
        site.enter(Key.ENTER)
        assert site.panel.read(DEADLINE) is Key.ENTER
