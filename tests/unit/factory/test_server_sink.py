"""The sink: publishing does not wait, order is kept, memory is bounded, and losses are reported."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from gprov.adapters.linux.net.server_sink import Delivery, ServerSink
from gprov.domain.errors import NetworkFault
from gprov.domain.event_backlog import Backlog
from gprov.domain.events import Body, Event, LogLine, ProcessState, Progress, Severity, StateChange
from gprov.domain.factory.replies import FactoryRefused
from gprov.ports.factory import Telemetry

URL = "http://factory.invalid"
WHY = "the server took too long"


@dataclass
class KeepingTelemetry(Telemetry):
    """Keeps what is reported. ``faults``: raised first, one for each call. ``gate``: every call waits for it."""

    faults: list[NetworkFault] = field(default_factory=list)
    gate: threading.Event | None = None
    batches: list[tuple[Event, ...]] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)

    @property
    def received(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    @override
    def events(self, serial: str, events: Sequence[Event]) -> None:
        self.asked.set()
        if self.gate is not None:
            assert self.gate.wait(60)
        if self.faults:
            raise self.faults.pop(0)
        self.batches.append(tuple(events))

    @override
    def state(self, serial: str, state: ProcessState) -> None:
        raise AssertionError

    @override
    def code_name(self, serial: str, code_name: str) -> None:
        raise AssertionError

    @override
    def macs(self, serial: str, nics: Mapping[str, str], bmc: Sequence[str]) -> None:
        raise AssertionError


def line(number: int) -> Event:
    return Event(number, number, LogLine(f"line {number}"))


def state(number: int) -> Event:
    return Event(number, number, StateChange(ProcessState.FR_STARTED))


def test_everything_arrives_in_order_in_batches() -> None:
    factory = KeepingTelemetry()
    sink = ServerSink(factory, "1", delivery=Delivery(batch=100))
    sent = [line(number) for number in range(1, 1001)]
    for event in sent:
        sink.publish(event)
    sink.close()
    assert factory.received == sent
    assert max(len(batch) for batch in factory.batches) <= 100
    assert len(factory.batches) < 500


def test_passing_faults_neither_lose_nor_reorder() -> None:
    factory = KeepingTelemetry([NetworkFault(URL, "no answer") for _ in range(5)])
    sink = ServerSink(factory, "1", delivery=Delivery(batch=10, pause=0.001))
    sent = [line(number) for number in range(1, 101)]
    for event in sent:
        sink.publish(event)
    sink.close()
    assert factory.received == sent


def test_a_hanging_server_does_not_delay_the_flow() -> None:
    gate = threading.Event()
    factory = KeepingTelemetry(gate=gate)
    sink = ServerSink(factory, "1", delivery=Delivery(limit=1000))
    sink.publish(line(1))
    assert factory.asked.wait(60)
    slowest, begin = 0.0, time.monotonic()
    for number in range(2, 20_001):
        before = time.perf_counter()
        sink.publish(line(number))
        slowest = max(slowest, time.perf_counter() - before)
    assert time.monotonic() - begin < 5  # 0.25 ms each, on a machine that does other things as well
    assert slowest < 1  # no single one waited for the network
    gate.set()
    sink.close()
    numbers = [event.number for event in factory.received]
    assert numbers == sorted(numbers)
    lost = [event for event in factory.received if "were lost here" in text(event)]
    assert len(lost) == 1
    count = int(text(lost[0]).split()[0])
    assert count + len(factory.received) - 1 == 20_000
    assert len(factory.received) <= 1000 + 251
    assert numbers[-1] == 20_000


def test_closing_ends_at_its_deadline_and_reports_what_is_missing() -> None:
    gate = threading.Event()
    factory = KeepingTelemetry(gate=gate)
    sink = ServerSink(factory, "1", delivery=Delivery(close_seconds=0.2))
    for number in range(1, 6):
        sink.publish(line(number))
    begin = time.monotonic()
    with pytest.raises(NetworkFault, match="5 events were not delivered"):
        sink.close()
    assert time.monotonic() - begin < 10
    gate.set()


def test_closing_while_the_server_is_down_keeps_trying_until_the_deadline() -> None:
    factory = KeepingTelemetry([NetworkFault(URL, f"no answer {count}") for count in range(10_000)])
    sink = ServerSink(factory, "1", delivery=Delivery(close_seconds=0.5, pause=0.01))
    sink.publish(line(1))
    with pytest.raises(NetworkFault, match=r"1 events were not delivered; .*no answer"):
        sink.close()
    assert 1 < 10_000 - len(factory.faults) < 100


def test_closing_does_not_wait_for_a_long_pause() -> None:
    factory = KeepingTelemetry([NetworkFault(URL, "restarting")])
    sink = ServerSink(factory, "1", delivery=Delivery(pause=3600, close_seconds=30))
    sink.publish(line(1))
    assert factory.asked.wait(60)
    begin = time.monotonic()
    sink.close()
    assert time.monotonic() - begin < 20
    assert factory.received == [line(1)]


def test_what_the_server_refuses_does_not_hold_up_the_rest() -> None:
    factory = KeepingTelemetry([FactoryRefused(URL, 422, "no")])
    sink = ServerSink(factory, "1", delivery=Delivery(batch_delay=0))
    sink.publish(state(1))
    assert factory.asked.wait(60)
    sink.publish(line(2))
    with pytest.raises(NetworkFault, match=r"1 events were not delivered; .*status 422"):
        sink.close()
    assert factory.received[-1] == line(2)


def test_a_state_change_does_not_linger() -> None:
    factory = KeepingTelemetry()
    sink = ServerSink(factory, "1", delivery=Delivery(batch_delay=3600))
    sink.publish(line(1))
    sink.publish(state(2))
    assert factory.asked.wait(60)
    sink.close()
    assert factory.received == [line(1), state(2)]


def test_after_closing_nothing_is_taken() -> None:
    factory = KeepingTelemetry()
    sink = ServerSink(factory, "1")
    sink.close()
    sink.publish(line(1))
    sink.close()
    assert factory.received == []


bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(LogLine, st.just("x")),
    st.just(StateChange(ProcessState.INIT_STARTED)),
    st.builds(Progress, st.sampled_from(["verify", "extract"]), st.integers(0, 9), st.just(10)),
)


@settings(max_examples=200)
@given(st.lists(st.one_of(bodies, st.integers(1, 5)), max_size=60), st.integers(1, 8))
def test_the_backlog_is_bounded_ordered_and_counts_its_losses(actions: list[Body | int], limit: int) -> None:
    """An action is an event to add, or how many to take."""
    backlog = Backlog(limit, WHY)
    taken: list[Event] = []
    added: list[Event] = []
    for action in actions:
        if isinstance(action, int):
            taken += backlog.take(action)
        else:
            added.append(Event(len(added) + 1, 0, action))
            backlog.add(added[-1])
        assert len(backlog) <= 2 * limit + 1
    while len(backlog):
        taken += backlog.take(1000)
    numbers = [event.number for event in taken]
    assert numbers == sorted(set(numbers))
    notices = [event for event in taken if "were lost here" in text(event)]
    lost = sum(int(text(event).split()[0]) for event in notices)
    kept = {event.number for event in taken} - {event.number for event in notices}
    missing = [event for event in added if event.number not in kept]
    overtaken = [event for event in missing if isinstance(event.body, Progress)]
    assert lost <= len(missing) <= lost + len(overtaken)
    states = [event for event in added if isinstance(event.body, StateChange)]
    if len(states) <= limit:
        assert set(states) <= set(taken)
    for event in notices:
        assert isinstance(event.body, LogLine)
        assert event.body.severity is Severity.WARNING


def test_long_lines_are_bounded_by_their_text() -> None:
    backlog = Backlog(100, WHY, max_characters=1000)
    for number in range(1, 101):
        backlog.add(Event(number, 0, LogLine("x" * 300)))
    taken = backlog.take(100)
    assert [event.number for event in taken] == [97, 98, 99, 100]
    assert text(taken[0]).startswith("97 events were lost here")
    for number in range(101, 103):
        backlog.add(Event(number, 0, LogLine("x" * 500)))
    assert [event.number for event in backlog.take(100)] == [101, 102]  # what was taken makes room


def test_only_the_latest_progress_of_a_task_waits() -> None:
    backlog = Backlog(100, WHY)
    for done in range(10):
        backlog.add(Event(done + 1, 0, Progress("verify", done, 10)))
    backlog.add(Event(11, 0, Progress("extract", 0, 10)))
    assert [event.number for event in backlog.take(100)] == [10, 11]


def text(event: Event) -> str:
    return event.body.text if isinstance(event.body, LogLine) else ""
