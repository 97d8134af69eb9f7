"""What displays show while events, messages and dialogs come: on the simulated machine's panel."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gprov.adapters.fake.console.panel import FakePanel
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.apps.unit.operator.dialog_operator import DialogOperator
from gprov.apps.unit.operator.shown_views import ShownViews
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.display_sink import MESSAGE_SECONDS, TASK_SECONDS, DisplaySink
from gprov.domain.display.choice import NoChoice
from gprov.domain.display.views import KeyWindowView, MessageView, ProgressView
from gprov.domain.events import OperationPhase, OperationReport, ProcessState, Severity
from gprov.domain.unit.credentials import Secret

MIB = 1 << 20


class Unit:
    """A machine with a display, an event bus whose events it shows, and an operator."""

    def __init__(self) -> None:
        self.machine = SimulatedMachine(operator_present=True)
        clock, panel = self.machine.clock, FakePanel(self.machine)
        views = ShownViews(lambda: panel, clock)
        self.operator = DialogOperator(views, clock)
        self.bus = EventBus(clock)
        self.bus.attach(DisplaySink(views, clock))

    def shown(self) -> object:
        return self.machine.shown

    def wait(self, seconds: float) -> None:
        self.machine.clock.advance(seconds)


@pytest.fixture
def unit() -> Unit:
    return Unit()


def test_messages_warnings_and_errors_are_shown_and_log_lines_are_not(unit: Unit) -> None:
    unit.bus.log("detail")
    assert unit.shown() is None
    unit.bus.message("Checking")
    assert unit.shown() == MessageView("Checking")
    unit.bus.warning("slow")
    assert unit.shown() == MessageView("Warning: slow", Severity.WARNING)
    unit.bus.error("no disk")
    unit.bus.log("detail")
    assert unit.shown() == MessageView("ERROR: no disk", Severity.ERROR)
    assert unit.machine.messages == []


def test_states_operations_and_progress_do_not_hide_a_message_at_once(unit: Unit) -> None:
    unit.bus.error("no disk")
    message = unit.shown()
    unit.bus.state(ProcessState.FR_FAILED)
    unit.bus.progress("verify", 1, 10)
    unit.bus.operation(OperationReport("format /dev/sda1", OperationPhase.STARTED))
    assert unit.shown() == message
    unit.wait(MESSAGE_SECONDS)
    unit.bus.operation(OperationReport("format /dev/sda1", OperationPhase.STARTED))
    assert unit.shown() == MessageView("format /dev/sda1", busy=True)
    unit.bus.operation(OperationReport("format /dev/sda1", OperationPhase.FAILED, 1.0, "full"))
    assert unit.shown() == MessageView("ERROR: failed after 1.0 s: format /dev/sda1: full", Severity.ERROR)


def test_states_and_the_handover(unit: Unit) -> None:
    unit.bus.state(ProcessState.FR_STARTED)
    assert unit.shown() == MessageView("Factory restore", busy=True)
    unit.bus.milestone("handover")
    assert unit.shown() == MessageView("Starting the system")


def test_progress_has_its_rate(unit: Unit) -> None:
    for second in range(11):
        unit.bus.progress("unpack", second * MIB, 100 * MIB)
        unit.wait(1)
    assert unit.shown() == ProgressView(
        task="unpack", done=10 * MIB, total=100 * MIB, rate=float(MIB), seconds_left=90.0
    )


def test_parallel_tasks_are_shown_in_turns(unit: Unit) -> None:
    shown = []
    for second in range(int(4 * TASK_SECONDS)):
        for task in ("a", "b"):
            unit.bus.progress(task, second * MIB, 100 * MIB)
        view = unit.shown()
        assert isinstance(view, ProgressView)
        shown.append(view.task)
        unit.wait(1)
    changes = sum(one != other for one, other in pairwise(shown))
    assert set(shown) == {"a", "b"}
    assert changes <= 4


def test_what_came_before_and_during_a_dialog_is_shown_after_it(unit: Unit) -> None:
    unit.operator.show("before")
    unit.machine.keys = ["key:exit"]
    assert unit.operator.choose("Menu", ["a"], 60) is NoChoice.LEFT
    assert unit.shown() == MessageView("before")
    assert unit.machine.messages == ["before", "Menu"]
    unit.machine.keys = ["yes"]
    assert unit.operator.confirm("Sure?", 60)
    assert unit.shown() == MessageView("before")


def test_after_a_dialog_without_anything_before_it_the_display_is_empty(unit: Unit) -> None:
    assert not unit.operator.confirm("Sure?", 60)
    assert unit.machine.clock.monotonic() == 60
    assert unit.shown() == MessageView("")


def test_events_do_not_hide_the_key_window_before_its_end(unit: Unit) -> None:
    unit.operator.show_key_window("Press any key", 10)
    unit.bus.warning("slow")
    assert unit.shown() == KeyWindowView("Press any key", 10)
    unit.wait(10)
    unit.bus.warning("slower")
    assert unit.shown() == MessageView("Warning: slower", Severity.WARNING)


def test_a_key_window_that_is_over_does_not_stay(unit: Unit) -> None:
    unit.operator.show_key_window("Press any key", 10)
    unit.bus.warning("slow")
    unit.operator.close()
    assert unit.shown() == MessageView("Warning: slow", Severity.WARNING)


@pytest.mark.parametrize(
    ("keys", "choice"),
    [
        (["2"], 2),
        (["1"], 1),
        (["9"], NoChoice.LEFT),
        (["any"], NoChoice.LEFT),
        (["key:down", "key:down", "key:up", "key:enter"], 1),
        (["type:2", "key:enter"], 2),
        (["type:7", "key:enter", "type:1", "key:enter"], 0),
        (["key:down"], NoChoice.TIMEOUT),
        ([], NoChoice.TIMEOUT),
    ],
)
def test_the_scripted_person_in_a_menu(unit: Unit, keys: list[str], choice: int | NoChoice) -> None:
    unit.machine.keys = keys
    assert unit.operator.choose("Menu", ["a", "", "c"], 60) == choice
    assert unit.machine.clock.monotonic() == (60 if choice is NoChoice.TIMEOUT else 0)


def test_the_scripted_person_answers_questions_and_types_passwords(unit: Unit) -> None:
    unit.machine.keys = ["yes", "no", "any", "key:right", "key:enter", "sesame", "key:exit", "any"]
    assert [unit.operator.confirm("Sure?", 60) for _ in range(4)] == [True, False, False, True]
    assert unit.operator.ask_secret("Password", 60) == Secret("sesame")
    assert unit.operator.ask_secret("Password", 60) is None
    assert unit.operator.key_pressed(60)
    assert not unit.operator.key_pressed(60)
