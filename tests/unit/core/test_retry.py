"""Calling again what failed for a reason that may pass, on a clock that only its own sleeps advance."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.system.clock import FakeClock
from gprov.domain.errors import DeviceFault, NetworkFault
from gprov.ports.clock import Deadline
from gprov.ports.retry import growing_pauses, retried


class Server:
    """Answers with its name from the call number ``good_from`` on."""

    def __init__(self, good_from: int, error: Exception) -> None:
        self.calls = 0
        self.good_from = good_from
        self.error = error

    def __call__(self) -> str:
        self.calls += 1
        if self.calls < self.good_from:
            raise self.error
        return "server"


FAULT = NetworkFault("server", "does not answer")


def test_pauses_double_up_to_the_longest() -> None:
    assert list(growing_pauses(2.0, 60.0, 8)) == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


@given(st.floats(0.1, 10.0), st.floats(0.1, 100.0), st.integers(1, 50))
def test_there_is_a_pause_between_any_two_attempts(first: float, longest: float, attempts: int) -> None:
    pauses = list(growing_pauses(first, longest, attempts))
    assert len(pauses) == attempts - 1
    assert pauses == sorted(pauses)
    assert all(0 < pause <= longest for pause in pauses)


@pytest.mark.parametrize(("good_from", "slept"), [(1, 0.0), (2, 1.0), (3, 3.0), (4, 7.0)])
def test_it_is_called_until_it_answers(good_from: int, slept: float) -> None:
    clock, server = FakeClock(), Server(good_from, FAULT)
    before = clock.monotonic()
    assert retried(clock, server, [1.0, 2.0, 4.0], NetworkFault) == "server"
    assert (server.calls, clock.monotonic() - before) == (good_from, slept)


def test_the_last_failure_is_raised_without_a_pause_after_it() -> None:
    clock, server = FakeClock(), Server(9, FAULT)
    before = clock.monotonic()
    with pytest.raises(NetworkFault, match="does not answer"):
        retried(clock, server, [1.0, 2.0], NetworkFault)
    assert (server.calls, clock.monotonic() - before) == (3, 3.0)


def test_a_failure_that_does_not_pass_is_raised_at_once() -> None:
    clock, server = FakeClock(), Server(2, DeviceFault("disk", "is full"))
    with pytest.raises(DeviceFault, match="is full"):
        retried(clock, server, [1.0], NetworkFault)
    assert server.calls == 1


def test_no_pause_follows_a_failure_after_the_deadline() -> None:
    clock = FakeClock()
    began, deadline = clock.monotonic(), Deadline(clock, 5.0)

    def pauses() -> Iterator[float]:
        while not deadline.passed:
            yield min(3.0, deadline.remaining)

    def slow_server() -> str:
        clock.sleep(6.0)
        raise FAULT

    with pytest.raises(NetworkFault, match="does not answer"):
        retried(clock, slow_server, pauses(), NetworkFault)
    assert clock.monotonic() - began == 6.0
