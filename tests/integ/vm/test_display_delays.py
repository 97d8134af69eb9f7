"""How long displays delay a start: on the clock of the guest, which counts its instructions
(docs/evidence/devices.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.fake.lcd.faults import NO_FAULTS, LcdFaults
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import STARTED
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lcd.station import LcdStation
from gprov.apps.host.lcd.wire import ListeningWire
from gprov.domain.boot.decide import DISPLAY_SECONDS
from gprov.domain.formats.lcd.models import Model
from tests.integ.lcd.stuck_adapter import StuckAdapter
from tests.integ.vm.person import console, edit_display_fact, key_window, started_with

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

# 2 ** 0 ns for each instruction: real processors are faster, so that what is calculated counts more here than there.
INSTRUCTION_CLOCK = 0
# What the modules of displays cost beside waiting, on this clock.
WORK_SECONDS = 0.25
# Kernel messages go to the serial line, which is no console, so that no person could be there.
ARGUMENTS = ("console=", "PROVISION_VERBOSE=", "quiet=", "loglevel=8", "earlyprintk=ttyS0,115200,keep")
GPROV_LINE = re.compile(r"\[ *(\d+\.\d+)\] gprov: (.*)")


@dataclass(frozen=True, kw_only=True)
class Row:
    """``expected``: PRIMARY names a display; ``display``: the one that is plugged, by its faults, or one that does not
    read; None: none is."""

    expected: bool
    window: int = 10
    display: LcdFaults | type[StuckAdapter] | None = None


ROWS = {
    "no display": Row(expected=False),
    "healthy": Row(expected=True, window=0, display=NO_FAULTS),
    "unplugged": Row(expected=True),
    "mute": Row(expected=True, display=LcdFaults(mute_from=0)),
    "does not read": Row(expected=True, display=StuckAdapter),
    "unplugged in its key window": Row(expected=True, display=LcdFaults(hang_up_at=12)),
    "mute in its key window": Row(expected=True, display=LcdFaults(mute_from=12)),
}


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds. ``start``: from the first event of ``/init`` to the first program of the system; ``lost``: from the loss
    of the display to that; None: it was not lost."""

    start: float
    lost: float | None


@contextmanager
def plugged(machine: Machine, path: Path, display: LcdFaults | type[StuckAdapter] | None) -> Iterator[Machine]:
    clock = SystemClock()
    character_device = ("-chardev", f"socket,id=lcd,path={path}")
    match display:
        case None:
            yield machine
        case LcdFaults():
            with LcdStation(SimulatedLcd(Model.CFA_635, clock, display), ListeningWire.on_unix(str(path)), clock):
                yield replace(machine, extra=(*character_device, *usb_device("usb-serial")))
        case _:
            with display(path) as stuck:
                yield replace(machine, extra=(*character_device, *usb_device("usb-redir")))
            assert stuck.refused, "the unit has written nothing on it"


def usb_device(driver: str) -> tuple[str, str]:
    """As JSON: QEMU makes devices in the other syntax first, when there is no bus yet."""
    return "-device", json.dumps({"driver": driver, "chardev": "lcd", "bus": "usb0.0"})


def times(result: StageResult) -> Times:
    assert result.system is not None
    end = result.system.uptime
    assert end is not None
    lines = [(float(time), text) for time, text in GPROV_LINE.findall(console(result))]
    [began] = [time for time, text in lines if text.startswith("milestone init-started")]
    lost = [time for time, text in lines if re.search(r"^display .*(was removed|does not answer)", text) and time < end]
    return Times(start=end - began, lost=end - lost[0] if lost else None)


def test_no_display_delays_a_start_by_more_than_a_second(
    small_overlay_as: Callable[[VirtualUnitSpec], VirtualUnit],
    small_products: Products,
    run_stage: Callable[..., StageResult],
    tmp_path: Path,
) -> None:
    """Without a console, so that the key window is for the display only."""
    unit = small_overlay_as(unit_spec("small"))
    found: dict[str, Times] = {}
    for name, row in sorted(ROWS.items(), key=lambda item: item[1].expected):
        if row.expected:
            edit_display_fact(unit, tmp_path, Model.CFA_635)
        counted = replace(unit.machine(), instruction_clock=INSTRUCTION_CLOCK, cpus=1)
        machine = started_with(counted, small_products, *ARGUMENTS, key_window(row.window))
        with plugged(machine, tmp_path / name.replace(" ", "-"), row.display) as started:
            found[name] = times(run_stage(name.replace(" ", "-"), unit, replace(STARTED, milestones=()), started))
        print(name, found[name])
    most = found["no display"].start + DISPLAY_SECONDS + WORK_SECONDS
    for name in ("healthy", "unplugged", "mute", "does not read"):
        assert found[name].start < most, (name, found)
    # Its key window ends with it.
    assert found["mute in its key window"].start < ROWS["mute in its key window"].window
    for name in ("unplugged in its key window", "mute in its key window"):
        lost = found[name].lost
        assert lost is not None, (name, found)
        assert lost < DISPLAY_SECONDS + WORK_SECONDS, (name, found)
