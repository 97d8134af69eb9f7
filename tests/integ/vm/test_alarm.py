"""What calls a person when a unit has failed, on parts of a virtual machine: the PC speaker."""

from __future__ import annotations

import wave
from array import array
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import STARTED
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import INIT_STARTED, Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from tests.integ.vm.person import console, started_with

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

# The message is shown for as long as UNIT_ARGUMENTS say; then the unit restarts.
FAILED = Expectation(Ending.RESET, (INIT_STARTED,), 300.0)
# A tone of 880 Hz, for a second.
HERTZ, SECONDS = 880, 1.0
_LOUD = 1000


def with_speaker(machine: Machine, recording: Path) -> Machine:
    speaker = ("-audiodev", f"wav,id=speaker,path={recording}", "-machine", "pcspk-audiodev=speaker")
    return replace(machine, extra=(*machine.extra, *speaker))


def tone(recording: Path) -> tuple[float, float]:
    """Seconds of sound in a recording, and its frequency; zeros for silence."""
    with wave.open(str(recording)) as file:
        rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
        assert width == 2
        samples = array("h", file.readframes(file.getnframes()))[::channels]
    loud = [place for place, sample in enumerate(samples) if abs(sample) > _LOUD]
    if not loud:
        return 0.0, 0.0
    heard = samples[loud[0] : loud[-1] + 1]
    rising = sum(before <= 0 < after for before, after in pairwise(heard))
    return len(heard) / rate, rising * rate / len(heard)


def test_a_unit_that_shows_a_failure_beeps_and_one_that_starts_does_not(
    small_overlay_as: Callable[[VirtualUnitSpec], VirtualUnit],
    small_products: Products,
    run_stage: Callable[..., StageResult],
    tmp_path: Path,
) -> None:
    unit = small_overlay_as(unit_spec("small"))
    failed, good = tmp_path / "failed.wav", tmp_path / "good.wav"
    erase_failed = started_with(unit.machine(), small_products, "DATA_ERASE=UNRECOVERABLE_ERROR")
    result = run_stage("failed", unit, FAILED, with_speaker(erase_failed, failed))
    assert "An earlier data erase of this unit FAILED" in console(result)
    run_stage("good", unit, STARTED, with_speaker(unit.machine(), good))
    seconds, hertz = tone(failed)
    assert hertz == pytest.approx(HERTZ, rel=0.05)
    # An emulator under load lengthens or cuts it.
    assert seconds > SECONDS / 2
    assert tone(good) == (0.0, 0.0)
