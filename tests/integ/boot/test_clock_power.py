"""Clocks, chance and power, as far as a host may be touched. The rest is in the virtual machine."""

from __future__ import annotations

import struct
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.linux.system.clock import SystemClock, rtc_time
from gprov.adapters.linux.system.power import SystemPower
from gprov.adapters.linux.system.random import SystemRandomness
from gprov.domain.errors import DeviceFault, RefusedByPolicy


@given(st.integers(10**9, 4 * 10**9))
def test_the_hardware_clock_gets_the_nearest_second(seconds: int) -> None:
    whole = datetime.fromtimestamp(seconds, UTC)
    fields = (whole.second, whole.minute, whole.hour, whole.day, whole.month - 1, whole.year - 1900, 0, 0, 0)
    time_ns = seconds * 10**9
    for rest in (0, 499_999_999, -500_000_000):
        assert struct.unpack("9i", rtc_time(time_ns + rest)) == fields


def test_the_clock_returns_the_time() -> None:
    clock = SystemClock()
    assert abs(clock.now_ns() - time.time_ns()) < 10**9
    before = clock.monotonic()
    clock.sleep(0.01)
    clock.sleep(-1)
    assert clock.monotonic() - before >= 0.01


@pytest.mark.parametrize("time_ns", [10**40, -(10**40)])
def test_a_time_that_no_clock_can_have_is_refused(time_ns: int, tmp_path: Path) -> None:
    with pytest.raises(DeviceFault):
        SystemClock(str(tmp_path / "rtc")).set(time_ns)


def test_tokens_are_long_and_different() -> None:
    chance = SystemRandomness()
    tokens = {chance.token(16) for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {16}


def test_only_init_may_end_a_machine() -> None:
    """Were this not so, the test run would end here."""
    with pytest.raises(RefusedByPolicy):
        SystemPower().reboot()
    with pytest.raises(RefusedByPolicy):
        SystemPower().power_off()
