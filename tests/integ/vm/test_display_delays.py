"""How long displays delay a start: guest times of emulated units (docs/performance.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
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
from tests.integ.vm.person import edit_display_fact, key_window, started_with

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

# Emulation on a busy host: starts without any display differ by as much.
NOISE_SECONDS = 2.0
MUTE = LcdFaults(mute_from=0)


@dataclass(frozen=True, kw_only=True)
class Row:
    """``expected``: PRIMARY names a display; ``faults``: of the display that is plugged, None: none is."""

    expected: bool
    window: int
    faults: LcdFaults | None = None


ROWS = {
    "no display": Row(expected=False, window=10),
    "healthy": Row(expected=True, window=0, faults=NO_FAULTS),
    "mute": Row(expected=True, window=10, faults=MUTE),
    "unplugged": Row(expected=True, window=10),
}


@contextmanager
def plugged(machine: Machine, path: str, faults: LcdFaults) -> Iterator[Machine]:
    clock = SystemClock()
    with LcdStation(SimulatedLcd(Model.CFA_635, clock, faults), ListeningWire.on_unix(path), clock):
        # As JSON: QEMU makes devices in the other syntax first, when there is no bus yet.
        adapter = ("-device", json.dumps({"driver": "usb-serial", "chardev": "lcd", "bus": "usb0.0"}))
        yield replace(machine, extra=("-chardev", f"socket,id=lcd,path={path}", *adapter))


def test_a_display_that_is_mute_or_missing_delays_a_start_by_a_second_at_most(
    small_overlay_as: Callable[[VirtualUnitSpec], VirtualUnit],
    small_products: Products,
    run_stage: Callable[..., StageResult],
    tmp_path: Path,
) -> None:
    """Without a console, at which a person could be, so that the key window is for the display only. The times are of
    the system's first program, on the clock of the kernel."""
    unit = small_overlay_as(unit_spec("small"))
    seconds: dict[str, float] = {}
    for name, row in sorted(ROWS.items(), key=lambda item: item[1].expected):
        if row.expected:
            edit_display_fact(unit, tmp_path, Model.CFA_635)
        machine = started_with(unit.machine(), small_products, "console=", key_window(row.window))
        context = nullcontext(machine) if row.faults is None else plugged(machine, str(tmp_path / "lcd"), row.faults)
        with context as started:
            result = run_stage(name.replace(" ", "-"), unit, replace(STARTED, milestones=()), started)
        assert result.system is not None
        assert result.system.uptime is not None
        seconds[name] = result.system.uptime
    (tmp_path / "unit" / "seconds.log").write_text(json.dumps(seconds))
    for name in ("healthy", "mute", "unplugged"):
        assert seconds[name] - seconds["no display"] < DISPLAY_SECONDS + NOISE_SECONDS, (name, seconds)
