"""Driver and simulated display, which are made separately, with faults of the wire between them; virtual time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.fake.lcd.faults import Fault, LcdFaults
from gprov.adapters.fake.system.clock import FakeClock
from gprov.domain.display.keys import Key
from gprov.domain.display.render import render
from gprov.domain.display.views import MenuView, MessageView, ProgressView, QuestionView, View
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import Button, KeyReport
from gprov.domain.lcd.drawing import draw, geometry_for
from gprov.domain.lcd.keys import KeyPresses, legend
from gprov.domain.lcd.session import REFRESH_SECONDS, Session

STEP = 0.001


@dataclass
class Cable:
    """Session and display joined; time passes in steps until both wait. ``lies``: when the session took a picture for
    drawn that the display did not show."""

    lcd: SimulatedLcd
    clock: FakeClock
    session: Session = field(default_factory=Session)
    keys: list[KeyReport] = field(default_factory=list)
    view: View | None = None
    lies: int = 0

    def show(self, view: View) -> None:
        self.view = view
        self.session.show(draw(view, self.lcd.module.model, 0))

    def shows(self) -> bool:
        """Whether the display shows the view: text, cursor and legend."""
        view, face = self.view, self.lcd.face
        assert view is not None
        geometry = geometry_for(view, face.model)
        screen = render(view, geometry, 0)
        cursor = None if screen.cursor is None else (screen.cursor.column, screen.cursor.row)
        text = [line[: geometry.columns] for line in face.lines]
        symbols = legend(view) if face.model is Model.CFA_631 else ()
        return (text, face.cursor, face.legend) == (list(screen.lines), cursor, symbols)

    def run(self, until: Callable[[], bool], seconds: float) -> bool:
        end = self.clock.monotonic() + seconds
        while not until():
            if self.clock.monotonic() > end or self.session.failure:
                return False
            data, keys = self.session.due(self.clock.monotonic())
            self.keys += keys
            if data:
                self.lcd.receive(data)
            if sent := self.lcd.transmit():
                self.keys += self.session.hear(sent, self.clock.monotonic())
            self.lies += self.view is not None and self.session.is_drawn and not self.shows()
            self.clock.advance(self._wait())
        return True

    def _wait(self) -> float:
        deadline = self.session.deadline
        times = [STEP] if deadline is None else [deadline - self.clock.monotonic()]
        if (due := self.lcd.next_due()) is not None:
            times.append(due)
        return max(STEP, min(times))


def cable(model: Model, faults: LcdFaults) -> Cable:
    clock = FakeClock()
    return Cable(SimulatedLcd(model, clock, faults), clock)


VIEWS = st.sampled_from(
    (
        MessageView("Restoring the system"),
        MessageView("[brackets] {braces} ~ ^ _ $ @ \\ |"),
        MenuView("Boot menu", ("Resume normal boot", "Power off", "", "Data Erase"), 0),
        MenuView("Boot menu", ("Resume normal boot", "Power off", "", "Data Erase"), 3),
        QuestionView("Erase all disks of this unit?"),
        ProgressView(task="Restore", done=45, total=100, rate=3.0, seconds_left=18.0),
    )
)
# Tries are not all lost: a display that loses six packets in a row is lost.
LOSSES = st.dictionaries(
    st.integers(0, 60).map(lambda number: number * 3 // 2),
    st.sampled_from((Fault.LOSE, Fault.LOSE_COMMAND, Fault.CORRUPT, Fault.DOUBLE)),
    max_size=12,
)


@given(st.sampled_from(Model), LOSSES, st.lists(VIEWS, min_size=1, max_size=5))
def test_whatever_the_wire_loses_the_view_is_drawn(model: Model, answers: dict[int, Fault], views: list[View]) -> None:
    joined = cable(model, LcdFaults(answers=answers))
    for view in views:
        joined.show(view)
        assert joined.run(lambda: joined.session.is_drawn, 30), joined.session.failure
        assert joined.shows()
    assert joined.lies == 0


@given(st.sampled_from(Model), st.dictionaries(st.integers(0, 40), st.just(Fault.LATE), max_size=10), VIEWS)
def test_late_answers_delay_a_view_by_a_refresh_at_most(model: Model, answers: dict[int, Fault], view: View) -> None:
    """Later than the data sheet allows, so that they may be taken for answers of other commands."""
    joined = cable(model, LcdFaults(answers=answers, late_seconds=0.4))
    joined.show(view)
    assert joined.run(joined.shows, 10 + REFRESH_SECONDS), joined.session.failure


def test_a_display_that_restarts_is_drawn_again() -> None:
    joined = cable(Model.CFA_635, LcdFaults(start_noise=b"\x40\x16\xff", start_seconds=0.3))
    joined.show(MessageView("Restoring"))
    assert joined.run(joined.shows, 5)
    joined.lcd.restart()
    assert not joined.shows()
    assert joined.run(joined.shows, 2 * REFRESH_SECONDS), joined.session.failure


@pytest.mark.parametrize(
    ("model", "button", "key"),
    [(Model.CFA_635, Button.ENTER, Key.ENTER), (Model.CFA_631, Button.LOWER_LEFT, Key.RIGHT)],
)
def test_keys_arrive_once(model: Model, button: Button, key: Key) -> None:
    view = QuestionView("Erase?")
    joined = cable(model, LcdFaults())
    joined.show(view)
    # Held during the start: its release is no key.
    joined.lcd.press(button)
    assert joined.run(joined.shows, 5)
    joined.keys.clear()
    joined.lcd.release(button)
    joined.lcd.press(button)
    joined.run(lambda: False, 0.5)
    joined.lcd.release(button)
    joined.run(lambda: False, 0.5)
    presses = KeyPresses()
    assert [found for report in joined.keys if (found := presses.accept(report, view, view))] == [key]
