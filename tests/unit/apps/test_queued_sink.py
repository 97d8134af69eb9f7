"""The log on RECOVERY works beside the flow: whatever its medium does, flows finish and order is kept."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.system.background import FakeBackground
from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.power import flush_all
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.queued_sink import FILE_LOG, QueuedSink
from gprov.domain.errors import DeadlineExceeded, DeviceFault
from gprov.domain.event_text import body_text
from gprov.domain.events import Event, LogLine
from tests.unit.flow import units


@dataclass
class HangingSink(MemorySink):
    """Blocks in ``publish`` (of the event with this number) or in ``close`` (0) until it is let go."""

    at: int = 1
    go: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def publish(self, event: Event) -> None:
        if event.number == self.at:
            self._hang()
        super().publish(event)

    @override
    def close(self) -> None:
        if not self.at:
            self._hang()
        super().close()
        self.ended.set()

    def _hang(self) -> None:
        self.reached.set()
        assert self.go.wait(60)


class FailingSink(MemorySink):
    """Takes so many events and then fails, every time."""

    def __init__(self, patience: int) -> None:
        super().__init__()
        self._patience = patience

    @override
    def publish(self, event: Event) -> None:
        if len(self.events) == self._patience:
            raise DeviceFault("/mnt/RECOVERY/log/x", "input/output error")
        super().publish(event)


def line(number: int) -> Event:
    return Event(number, number, LogLine(f"line {number}"))


def texts(events: tuple[Event, ...] | list[Event]) -> list[str]:
    return [body_text(event.body) for event in events]


def test_everything_arrives_in_order_and_the_end_waits_for_it() -> None:
    inner = MemorySink()
    sink = QueuedSink(inner, ThreadBackground(), seconds=60)
    sent = [line(number) for number in range(1, 3001)]
    for event in sent:
        sink.publish(event)
    sink.close()
    assert inner.events == sent
    assert inner.closed
    sink.publish(line(3001))
    assert inner.events == sent


@pytest.fixture
def no_more_threads() -> Iterator[None]:
    """No machine has room for such a stack."""
    before = threading.stack_size(1 << 46)
    with pytest.raises(RuntimeError):
        threading.Thread(target=print).start()
    yield
    threading.stack_size(before)


@pytest.mark.usefixtures("no_more_threads")
def test_where_no_thread_can_be_had_all_is_done_at_once() -> None:
    inner = MemorySink()
    sink = QueuedSink(inner, ThreadBackground(), seconds=60)
    sent = [line(number) for number in range(1, 4)]
    for number, event in enumerate(sent, 1):
        sink.publish(event)
        assert inner.events == sent[:number]
    sink.close()
    assert inner.closed
    synced: list[bool] = []
    assert flush_all(60, lambda: synced.append(True))
    assert synced == [True]


@given(st.lists(st.sampled_from(["publish", "pause"]), max_size=40))
def test_no_pause_between_events_loses_or_reorders_any(actions: list[str]) -> None:
    inner = MemorySink()
    sink = QueuedSink(inner, ThreadBackground(), seconds=60)
    sent: list[Event] = []
    for action in actions:
        if action == "publish":
            sent.append(line(len(sent) + 1))
            sink.publish(sent[-1])
        else:
            os.sched_yield()  # lets the other thread on
    sink.close()
    assert inner.events == sent
    assert inner.closed


def test_a_medium_that_hangs_never_holds_up_the_flow_and_memory_is_bounded() -> None:
    inner = HangingSink()
    sink = QueuedSink(inner, ThreadBackground(), limit=1000, seconds=60)
    sink.publish(line(1))
    assert inner.reached.wait(60)
    slowest = 0.0
    for number in range(2, 20_001):
        before = time.perf_counter()
        sink.publish(line(number))
        slowest = max(slowest, time.perf_counter() - before)
    assert slowest < 10  # the sink would hang for a minute
    inner.go.set()
    sink.close()
    numbers = [event.number for event in inner.events]
    assert numbers == sorted(set(numbers))
    assert numbers[-1000:] == list(range(19_001, 20_001))
    assert len(numbers) == 1002
    assert texts(inner.events)[1] == "18999 events were lost here: the medium took too long"


@pytest.mark.parametrize(("at", "left"), [(1, 3), (3, 1), (0, 0)])
def test_the_end_has_a_deadline_and_a_sink_that_comes_back_is_only_closed(at: int, left: int) -> None:
    inner = HangingSink(at)
    sink = QueuedSink(inner, ThreadBackground(), seconds=0.2)
    for number in range(1, 4):
        sink.publish(line(number))
    begin = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=f"flushing it, with {left} events to go: not within 0.2 s"):
        sink.close()
    assert time.monotonic() - begin < 10
    inner.go.set()
    assert inner.ended.wait(60)
    assert inner.closed
    assert len(inner.events) == (at or 3)
    sink.close()


@pytest.mark.parametrize("background", [ThreadBackground(), FakeBackground(FakeClock())])
def test_a_medium_that_fails_is_given_up_once_and_closed(background: ThreadBackground | FakeBackground) -> None:
    bus = EventBus(FakeClock())
    inner, other = FailingSink(1), MemorySink()
    sink = QueuedSink(inner, background, seconds=60)
    bus.attach(sink)
    bus.attach(other)
    for number in range(5):
        bus.log(f"line {number}")
    bus.detach(sink)
    assert texts(inner.events) == ["line 0"]
    assert inner.closed
    said = [text for text in texts(other.events) if "sink" in text]
    assert len(said) == 1
    assert "input/output error" in said[0]
    assert [text for text in texts(other.events) if text.startswith("line")] == [f"line {n}" for n in range(5)]


def test_a_log_that_is_not_complete_is_told_at_the_end() -> None:
    class Incomplete(MemorySink):
        @override
        def close(self) -> None:
            raise DeviceFault("log", "3 log lines were lost, the disk was full")

    sink = QueuedSink(Incomplete(), ThreadBackground(), seconds=60)
    sink.publish(line(1))
    with pytest.raises(DeviceFault, match="3 log lines were lost"):
        sink.close()


def test_a_machine_that_restarts_does_not_wait_for_a_device_for_ever() -> None:
    go = threading.Event()
    assert not flush_all(0.05, lambda: assert_set(go))
    go.set()
    assert flush_all(60, lambda: None)


def assert_set(go: threading.Event) -> None:
    assert go.wait(60)


# --- whole flows ------------------------------------------------------------------------------------------------------


def test_provisioning_finishes_though_the_log_on_recovery_hangs() -> None:
    unit = units.blank()
    unit.world.stuck.add(FILE_LOG)
    assert unit.provision() is StopReason.REBOOT
    assert "state MFG_SUCCEEDED" in unit.log()
    assert "event sink memory did not end well: flushing it, with" in unit.log()
    # The wait is longer than that of a restore: with a file open there RECOVERY could not be unmounted.
    assert 300 <= unit.machine.clock.slept < 310
    unit.world.stuck.clear()
    assert unit.settle() == ("reboot", "switched root")


def test_a_restore_finishes_though_the_log_on_recovery_hangs() -> None:
    unit = units.provisioned()
    unit.world.stuck.add(FILE_LOG)
    assert unit.settle() == ("reboot", "switched root")
    assert "state FR_SUCCEEDED" in unit.log()
    assert "did not end well: flushing it, with" in unit.log()
    events = unit.sink.events
    numbers = [event.number for event in events[: len(events) // 2]]  # of the first start, or a part of it
    assert numbers == sorted(numbers)


def test_a_start_that_is_given_up_is_counted_though_the_log_on_recovery_hangs() -> None:
    unit = units.running()
    unit.machine.disks[0].detached = True
    unit.world.stuck.add(FILE_LOG)
    assert unit.boot() is StopReason.REBOOT
    assert "flushing it, with" in unit.log()


JUMPS = (0, -1, 4 * 10**18, 10**18, 1_700_000_000_000_000_000)


@pytest.mark.parametrize("every", [1, 7])
def test_a_clock_that_jumps_at_every_turn_changes_no_flow(every: int) -> None:
    unit = units.blank()
    count = 0

    def jump(_operation: str) -> None:
        nonlocal count
        count += 1
        if count % every == 0:
            unit.machine.clock.set(JUMPS[count // every % len(JUMPS)])

    unit.machine.hook = jump
    assert [unit.provision(), unit.boot(), unit.boot()] == [
        StopReason.REBOOT,
        StopReason.REBOOT,
        StopReason.SWITCHED_ROOT,
    ]
    assert count > 100
    assert unit.machine.clock.total_elapsed < 60
