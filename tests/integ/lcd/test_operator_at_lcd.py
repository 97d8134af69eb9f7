"""A person at an LCD: dialogs of the operator port, through panel, driver and a simulated display on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.fake.lcd.faults import Fault, LcdFaults
from gprov.adapters.linux.console.log import ConsoleLog
from gprov.adapters.linux.console.panel import LinuxPanel
from gprov.adapters.linux.lcd.display import CrystalfontzDisplay
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.lcd.station import LcdStation
from gprov.apps.host.lcd.wire import PtyWire
from gprov.apps.unit.operator.dialog_operator import DialogOperator
from gprov.apps.unit.operator.shown_views import ShownViews
from gprov.domain.formats.lcd.commands import Legend
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import Button

DEADLINE = 30.0
CLOCK = SystemClock()
ITEMS = ("Resume normal boot", "Power off", "", "Factory Restore to latest image", "Data Erase")


class Cabinet:
    def __init__(self, folder: Path, model: Model, faults: LcdFaults) -> None:
        self.station = LcdStation(SimulatedLcd(model, CLOCK, faults), PtyWire(), CLOCK)
        self.station.start()
        self.lcd = CrystalfontzDisplay(lambda: [self.station.name], CLOCK, ThreadBackground(), lambda _text: None)
        nowhere = (str(folder), str(folder), str(folder))
        panel = LinuxPanel(CLOCK, ConsoleLog("/dev/null"), (self.lcd,), nowhere)
        self.operator = DialogOperator(ShownViews(lambda: panel, CLOCK), CLOCK)
        self._pool = ThreadPoolExecutor(1)

    def ask(self, question: Callable[[], object]) -> Future[object]:
        return self._pool.submit(question)

    def press(self, *buttons: Button) -> None:
        for button in buttons:
            self.station.press(button)
            CLOCK.sleep(0.3)  # a person looks at the display

    def close(self) -> None:
        self.lcd.close()
        self.station.close()
        self._pool.shutdown()


@pytest.fixture(params=[Model.CFA_631, Model.CFA_635], ids=["631", "635"])
def model(request: pytest.FixtureRequest) -> Model:
    found: Model = request.param
    return found


@pytest.fixture
def cabinet(tmp_path: Path, model: Model) -> Iterator[Cabinet]:
    """The wire loses, doubles and damages some packets; none of a key."""
    kinds = (Fault.LOSE, Fault.CORRUPT, Fault.DOUBLE, Fault.LOSE_COMMAND)
    faults = LcdFaults(answers={number * 7: kinds[number % 4] for number in range(20)})
    cabinet = Cabinet(tmp_path, model, faults)
    yield cabinet
    cabinet.close()


def keys_of(model: Model) -> dict[str, Button]:
    if model is Model.CFA_635:
        return {name: Button[name] for name in ("UP", "DOWN", "LEFT", "RIGHT", "ENTER", "EXIT")}
    left, right = (Button.UPPER_LEFT, Button.LOWER_LEFT), (Button.UPPER_RIGHT, Button.LOWER_RIGHT)
    return {"UP": left[0], "DOWN": left[1], "LEFT": left[0], "RIGHT": left[1], "ENTER": right[0], "EXIT": right[1]}


def test_a_person_chooses_from_a_menu(cabinet: Cabinet, model: Model) -> None:
    keys = keys_of(model)
    choice = cabinet.ask(lambda: cabinet.operator.choose("Boot menu", ITEMS, DEADLINE))
    cabinet.station.wait_for(">Resume", DEADLINE)
    cabinet.press(keys["DOWN"])
    cabinet.station.wait_for(">Power off", DEADLINE)
    cabinet.press(keys["DOWN"], keys["DOWN"])
    face = cabinet.station.wait_for(">Factory", DEADLINE)
    if model is Model.CFA_631:
        cabinet.station.wait_until(lambda face: Legend.UP in face.legend, "legend", DEADLINE)
        assert all(len(line) == 20 for line in face.lines)
    cabinet.press(keys["ENTER"])
    assert choice.result(DEADLINE) == 3


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_answers_a_question(cabinet: Cabinet, model: Model, answer: bool) -> None:
    keys = keys_of(model)
    confirmed = cabinet.ask(lambda: cabinet.operator.confirm("Really erase all data of this unit?", DEADLINE))
    cabinet.station.wait_for(">No", DEADLINE)
    if answer:
        cabinet.press(keys["RIGHT"])
        cabinet.station.wait_for(">Yes", DEADLINE)
    cabinet.press(keys["ENTER"])
    assert confirmed.result(DEADLINE) is answer


def test_any_key_counts_in_the_key_window(cabinet: Cabinet, model: Model) -> None:
    cabinet.operator.show_key_window("Press any key for the menu", DEADLINE)
    pressed = cabinet.ask(lambda: cabinet.operator.key_pressed(DEADLINE))
    cabinet.station.wait_for("any key", DEADLINE)
    cabinet.press(keys_of(model)["EXIT"])
    assert pressed.result(DEADLINE) is True
