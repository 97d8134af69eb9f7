"""The session of units with a display, against a simulated display with faults: the picture becomes right."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.fake.lcd.faults import Fault, LcdFaults
from gprov.adapters.fake.lcd.keypad import buttons_of
from gprov.adapters.fake.system.clock import FakeClock
from gprov.domain.display.views import MenuView, MessageView, QuestionView, View
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import Button, KeyReport
from gprov.domain.lcd.drawing import draw
from gprov.domain.lcd.picture import Picture
from gprov.domain.lcd.session import REFRESH_SECONDS, Session

_TICK = 0.005
# As many as a command is resent.
_MOST_FAULTS = 5
VIEWS: tuple[View, ...] = (
    MenuView("Choose", ("Resume", "Restore", "Erase"), 1),
    QuestionView("Erase all data?"),
    MessageView("Restored"),
)
models = st.sampled_from(list(Model))
views = st.sampled_from(VIEWS)


class Bench:
    """A session and a display on one line. ``keys``: what the session reported."""

    def __init__(self, model: Model, faults: LcdFaults) -> None:
        self.clock = FakeClock()
        self.lcd = SimulatedLcd(model, self.clock, faults)
        self.session = Session()
        self.keys: list[KeyReport] = []

    def run(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end and not self.session.failure:
            sent, keys = self.session.due(self.clock.monotonic())
            if sent:
                self.lcd.receive(sent)
            heard = self.lcd.transmit()
            if heard:
                keys = [*keys, *self.session.hear(heard, self.clock.monotonic())]
            self.keys += keys
            self.clock.advance(_TICK if sent or heard else self._pause())

    def shows(self, picture: Picture) -> bool:
        face = self.lcd.module.face
        cursor = None if picture.cursor is None else (picture.cursor.column, picture.cursor.row)
        rows = all(cells.startswith(codes) for cells, codes in zip(face.rows, picture.rows, strict=True))
        return rows and (face.cursor, face.legend) == (cursor, picture.legend)

    def _pause(self) -> float:
        waits = [self.lcd.next_due(), None if (end := self.session.deadline) is None else end - self.clock.monotonic()]
        return max(_TICK, min((wait for wait in waits if wait is not None), default=_TICK))


def faults(most: int) -> st.SearchStrategy[dict[int, Fault]]:
    return st.dictionaries(st.integers(0, 20), st.sampled_from(Fault), max_size=most)


@given(models, views, faults(_MOST_FAULTS), st.floats(0.2, 1.0))
def test_any_faults_that_are_fewer_than_resends_leave_the_right_picture(
    model: Model, view: View, answers: dict[int, Fault], late: float
) -> None:
    bench = Bench(model, LcdFaults(answers=answers, late_seconds=late))
    picture = draw(view, model, 0)
    bench.session.show(picture)
    bench.run(2 * REFRESH_SECONDS + 5)
    assert bench.session.failure == ""
    assert bench.session.model is model
    assert bench.shows(picture)


@given(models, st.binary(max_size=40), st.sampled_from([0.1, 1.0]))
def test_a_display_that_restarts_by_itself_is_drawn_again(model: Model, noise: bytes, start: float) -> None:
    bench = Bench(model, LcdFaults(start_noise=noise, start_seconds=start))
    picture = draw(VIEWS[0], model, 0)
    bench.session.show(picture)
    bench.run(5)
    assert bench.shows(picture)
    bench.lcd.restart()
    assert not bench.shows(picture)
    bench.run(2 * REFRESH_SECONDS)
    assert bench.session.failure == ""
    assert bench.shows(picture)


@given(models, st.integers(0, 20))
def test_a_display_that_falls_silent_is_found_out(model: Model, number: int) -> None:
    bench = Bench(model, LcdFaults(mute_from=number))
    bench.session.show(draw(VIEWS[0], model, 0))
    bench.run(5 * REFRESH_SECONDS)
    assert "does not answer" in bench.session.failure


@given(st.lists(st.sampled_from(buttons_of(Model.CFA_635)), max_size=6), faults(_MOST_FAULTS))
def test_presses_are_reported_whatever_happens_to_answers(buttons: Sequence[Button], answers: dict[int, Fault]) -> None:
    bench = Bench(Model.CFA_635, LcdFaults(answers=answers))
    bench.session.show(draw(VIEWS[0], Model.CFA_635, 0))
    bench.run(10)
    for button in buttons:
        bench.lcd.press(button)
        bench.run(0.2)
        bench.lcd.release(button)
        bench.run(0.2)
    bench.run(1)
    assert bench.keys == [KeyReport(button, pressed) for button in buttons for pressed in (True, False)]
