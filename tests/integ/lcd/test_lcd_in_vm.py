"""The display on a USB serial adapter of a virtual machine, with the kernel of units and their adapter of displays."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.lab.argv import Accelerator
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.runner import Runner, RunningMachine
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lcd.station import LcdStation
from gprov.apps.host.lcd.wire import ConnectedWire, ListeningWire
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import Button
from tests.integ.conftest import PROCESSES, Guest
from tests.integ.lcd.guest_menu import ITEMS
from tests.integ.lcd.peer import eventually

_SECONDS = 240.0


@pytest.fixture
def socket_path(tmp_path: Path) -> str:
    return str(tmp_path / "lcd")


@pytest.fixture
def guest_disks(socket_path: str) -> list[str]:
    adapter = ("-device", "qemu-xhci", "-device", "usb-serial,chardev=lcd")
    return ["-chardev", f"socket,id=lcd,path={socket_path}", *adapter]


@pytest.mark.vm
@pytest.mark.parametrize("shape", ["sata", "dom"])
def test_the_display_of_a_lab_unit_is_plugged_while_it_runs(shape: str, tmp_path: Path) -> None:
    """Without a system: disks are empty."""
    unit = VirtualUnit.create(str(tmp_path), replace(unit_spec(shape), lcd=Model.CFA_631), PROCESSES)
    runner = Runner(PROCESSES, lambda: Accelerator.TCG)
    with runner.start(unit.machine(), unit.serial_log("none")) as live:
        assert live.lcd is not None
        assert live.lcd.face.model is Model.CFA_631
        assert eventually(lambda: is_plugged(live))
    with runner.start(unit.machine(), unit.serial_log("none"), attach_lcd=False) as live:
        assert live.lcd is None
        assert not is_plugged(live)
        clock = SystemClock()
        with LcdStation(SimulatedLcd(Model.CFA_631, clock), ConnectedWire.to_unix(live.lcd_socket), clock):
            assert eventually(lambda: is_plugged(live))
        assert eventually(lambda: not is_plugged(live))


def is_plugged(live: RunningMachine) -> bool:
    arguments = {"path": "/machine/peripheral/lcd-device", "property": "attached"}
    return live.qmp.execute("qom-get", arguments) is True


@pytest.mark.vm
def test_a_menu_in_a_virtual_machine_is_shown_and_operated(guest: Guest, socket_path: str) -> None:
    clock = SystemClock()
    with LcdStation(SimulatedLcd(Model.CFA_635, clock), ListeningWire.on_unix(socket_path), clock) as lcd:
        shown: list[str] = []

        def operate() -> None:
            shown.append(lcd.wait_for(ITEMS[1], _SECONDS).text)
            for button in (Button.DOWN, Button.ENTER, Button.EXIT):
                lcd.press(button)

        person = ThreadBackground().start("person", operate)
        console = guest(sys.executable, "-m", "tests.integ.lcd.guest_menu", seconds=_SECONDS)
        assert person.wait(1)
    assert ITEMS[0] in shown[0]
    assert [line for line in console.splitlines() if line.startswith("KEY")] == [
        "KEY Key.DOWN",
        "KEY Key.ENTER",
        "KEY Key.EXIT",
    ]
