"""Event sink of the displays: messages, progress, operations and states as views. Consoles show the log instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from gprov.apps.unit.operator.shown_views import ShownViews
from gprov.domain.event_text import displayed_text, severity_of
from gprov.domain.events import (
    Event,
    LogLine,
    Milestone,
    OperationPhase,
    OperationReport,
    ProcessState,
    Progress,
    Severity,
    StateChange,
)
from gprov.ports.clock import Clock
from gprov.ports.events import EventSink

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.display.progress import ProgressViews

# A message stays for this time, unless another one comes: progress is reported every second.
MESSAGE_SECONDS = 5.0
# Tasks that run in parallel are shown in turns.
TASK_SECONDS = 5.0

_STATES = {
    ProcessState.MFG_STARTED: "Provisioning",
    ProcessState.MFG_SUCCEEDED: "Provisioning done",
    ProcessState.MFG_FAILED: "Provisioning FAILED",
    ProcessState.FR_STARTED: "Factory restore",
    ProcessState.FR_SUCCEEDED: "Factory restore done",
    ProcessState.FR_FAILED: "Factory restore FAILED",
    ProcessState.INIT_FAILED: "Start FAILED",
}
_BUSY = (ProcessState.MFG_STARTED, ProcessState.FR_STARTED)
_HANDOVER = "handover"


class DisplaySink(EventSink):
    """Imports views with the first event that is shown: a normal boot has none before its end."""

    def __init__(self, views: ShownViews, clock: Clock) -> None:
        self._views = views
        self._clock = clock
        self._progress: ProgressViews | None = None
        self._message_end = 0.0
        self._task = ""
        self._task_end = 0.0

    @property
    @override
    def name(self) -> str:
        return "displays"

    @override
    def publish(self, event: Event) -> None:
        match event.body:
            case Progress():
                self._show_progress(event.body)
            case StateChange(state) if state in _STATES:
                self._show_work(_STATES[state], busy=state in _BUSY)
            case OperationReport(description, OperationPhase.STARTED):
                self._show_work(description, busy=True)
            case Milestone(name) if name == _HANDOVER:
                self._show_work("Starting the system", busy=False)
            case LogLine() | OperationReport():
                self._show_message(event)
            case _:
                return

    @override
    def close(self) -> None:
        """What is shown stays: flows show messages after the end of the log."""

    def _show_message(self, event: Event) -> None:
        severity = severity_of(event.body)
        if severity is Severity.LOG:
            return
        from gprov.domain.display.views import MessageView

        self._message_end = self._clock.monotonic() + MESSAGE_SECONDS
        self._views.show_status(MessageView(displayed_text(event.body), severity))

    def _show_work(self, text: str, *, busy: bool) -> None:
        if self._clock.monotonic() < self._message_end:
            return
        from gprov.domain.display.views import MessageView

        self._views.show_status(MessageView(text, busy=busy))

    def _show_progress(self, progress: Progress) -> None:
        from gprov.domain.display.progress import ProgressViews, is_finished

        if self._progress is None:
            self._progress = ProgressViews()
        now = self._clock.monotonic()
        view = self._progress.view(progress, now)
        if now < self._message_end or (progress.task != self._task and now < self._task_end):
            return
        if progress.task != self._task:
            self._task, self._task_end = progress.task, now + TASK_SECONDS
        if is_finished(progress):
            self._task, self._task_end = "", 0.0
        self._views.show_status(view)
