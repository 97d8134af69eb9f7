from __future__ import annotations

from typing_extensions import override

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.system.clock import FakeClock
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, Problem
from gprov.domain.events import Event, LogLine, Progress, Severity

# What is said of a sink that fails: it is closed, so that it holds nothing open, and given up.
PARTING = ("event sink dead sink did not end well: still no one there", "event sink dead sink given up: no one there")


class DeadSink(MemorySink):
    """Takes so many events and then fails."""

    def __init__(self, patience: int) -> None:
        super().__init__()
        self._patience = patience

    @property
    @override
    def name(self) -> str:
        return "dead sink"

    @override
    def publish(self, event: Event) -> None:
        if len(self.events) == self._patience:
            raise OSError("no one there")
        super().publish(event)

    @override
    def close(self) -> None:
        raise OSError("still no one there")


class TalkingSink(MemorySink):
    """Says something itself whenever it hears of a state."""

    def __init__(self, bus: EventBus) -> None:
        super().__init__()
        self._bus = bus

    @override
    def publish(self, event: Event) -> None:
        super().publish(event)
        if texts([event]) == ["speak"]:
            self._bus.log("I was told to")


def texts(events: list[Event]) -> list[str]:
    return [event.body.text if isinstance(event.body, LogLine) else repr(event.body) for event in events]


def numbers(sink: MemorySink) -> list[int]:
    return [event.number for event in sink.events]


def test_a_late_sink_hears_what_was_said_before_in_order() -> None:
    bus = EventBus(FakeClock())
    early, late = MemorySink(), MemorySink()
    bus.attach(early)
    for text in ("one", "two"):
        bus.log(text)
    bus.attach(late)
    bus.log("three")
    assert texts(late.events) == ["one", "two", "three"]
    assert late.events == early.events
    assert numbers(late) == [1, 2, 3]


def test_progress_is_not_replayed() -> None:
    bus = EventBus(FakeClock())
    bus.progress("verify", 1, 10)
    late = MemorySink()
    bus.attach(late)
    assert late.events == []


def test_a_sink_that_fails_is_dropped_and_the_others_are_told_in_order() -> None:
    bus = EventBus(FakeClock())
    dead, sink = DeadSink(1), MemorySink()
    bus.attach(dead)
    bus.attach(sink)
    for text in ("one", "two", "three"):
        bus.log(text)
    assert texts(dead.events) == ["one"]
    assert texts(sink.events) == ["one", "two", *PARTING, "three"]
    assert numbers(sink) == [1, 2, 3, 4, 5]
    assert list(bus.events) == sink.events


def test_a_sink_that_fails_during_its_replay_is_dropped() -> None:
    bus = EventBus(FakeClock())
    sink = MemorySink()
    bus.attach(sink)
    bus.log("one")
    bus.log("two")
    bus.attach(dead := DeadSink(1))
    bus.log("three")
    assert texts(dead.events) == ["one"]
    assert texts(sink.events) == ["one", "two", *PARTING, "three"]


def test_all_sinks_may_die() -> None:
    bus = EventBus(FakeClock())
    for _ in range(3):
        bus.attach(DeadSink(0))
    bus.log("one")
    assert len([text for text in texts(list(bus.events)) if "given up" in text]) == 3


def test_what_a_sink_says_comes_after_what_it_was_told() -> None:
    bus = EventBus(FakeClock())
    sink = MemorySink()
    bus.attach(TalkingSink(bus))
    bus.attach(sink)
    bus.log("speak")
    bus.log("on")
    assert texts(sink.events) == ["speak", "I was told to", "on"]
    assert numbers(sink) == [1, 2, 3]


def test_a_sink_that_ends_badly_does_not_keep_others_from_ending() -> None:
    bus = EventBus(FakeClock())
    sink = MemorySink()
    bus.attach(DeadSink(5))
    bus.attach(sink)
    bus.close()
    assert sink.closed
    assert texts(sink.events) == ["event sink dead sink did not end well: still no one there"]
    bus.log("after the end")
    assert len(sink.events) == 1


def test_a_detached_sink_is_closed_and_hears_no_more() -> None:
    bus = EventBus(FakeClock())
    sink = MemorySink()
    bus.attach(sink)
    bus.log("one")
    bus.detach(sink)
    bus.detach(sink)
    bus.log("two")
    assert sink.closed
    assert texts(sink.events) == ["one"]


def progress_of(sink: MemorySink) -> list[tuple[str, int]]:
    return [(event.body.task, event.body.done) for event in sink.events if isinstance(event.body, Progress)]


def test_progress_is_thinned_but_first_and_last_are_kept() -> None:
    clock = FakeClock()
    bus = EventBus(clock)
    sink = MemorySink()
    bus.attach(sink)
    for done in range(101):
        bus.progress("verify", done, 100)
        clock.advance(0.1)
    found = progress_of(sink)
    assert found[0] == ("verify", 0)
    assert found[-1] == ("verify", 100)
    assert 10 <= len(found) <= 13


def test_two_tasks_at_once_are_thinned_each_for_itself() -> None:
    clock = FakeClock()
    bus = EventBus(clock)
    sink = MemorySink()
    bus.attach(sink)
    for done in range(100):
        bus.progress("one", done, 100)
        bus.progress("other", done, 100)
        clock.advance(0.01)
    assert progress_of(sink) == [("one", 0), ("other", 0)]


def test_progress_without_a_total_is_thinned_too() -> None:
    clock = FakeClock()
    bus = EventBus(clock)
    sink = MemorySink()
    bus.attach(sink)
    for done in range(100):
        bus.progress("fetch", done, 0)
        clock.advance(0.05)
    assert len(progress_of(sink)) == 5


def test_a_task_that_begins_again_is_heard_at_once() -> None:
    bus = EventBus(FakeClock())
    sink = MemorySink()
    bus.attach(sink)
    for done in (0, 10, 0, 10):
        bus.progress("verify", done, 10)
    assert progress_of(sink) == [("verify", 0), ("verify", 10)] * 2


def test_an_error_is_followed_by_its_details() -> None:
    bus = EventBus(FakeClock())
    bus.error(BadInput("file", [Problem("$.a", "is bad"), Problem("$.b", "is worse")]))
    assert texts(list(bus.events)) == ["file: $.a: is bad (and 1 more)", "  $.a: is bad", "  $.b: is worse"]
    first = bus.events[0].body
    assert isinstance(first, LogLine)
    assert first.severity is Severity.ERROR
