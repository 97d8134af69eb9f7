"""The display on a USB serial adapter of a virtual machine, with the kernel of units and their adapter of displays."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.lcd.station import LcdStation
from gprov.apps.host.lcd.wire import ListeningWire
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import Button
from tests.integ.conftest import Guest
from tests.integ.lcd.guest_menu import ITEMS

_SECONDS = 240.0


@pytest.fixture
def socket_path(tmp_path: Path) -> str:
    return str(tmp_path / "lcd")


@pytest.fixture
def guest_disks(socket_path: str) -> list[str]:
    adapter = ("-device", "qemu-xhci", "-device", "usb-serial,chardev=lcd")
    return ["-chardev", f"socket,id=lcd,path={socket_path}", *adapter]


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
