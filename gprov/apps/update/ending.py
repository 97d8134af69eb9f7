"""The end of an action: what is stored and removed, and its answer, which the server gets once."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.consent import Consent
from gprov.apps.update.placement import ImagePlacement
from gprov.apps.update.records import StateFile
from gprov.apps.update.server import DdiServer
from gprov.apps.update.system import SystemRecords
from gprov.domain.update.decide import CANCELED
from gprov.domain.update.messages import Poll
from gprov.domain.update.state import Answer, Result, UpdateState


class Ending:
    def __init__(
        self, server: DdiServer, system: SystemRecords, placement: ImagePlacement, consent: Consent, bus: EventBus
    ) -> None:
        self._server = server
        self._system = system
        self._placement = placement
        self._consent = consent
        self._bus = bus

    def end(self, record: StateFile, ended: UpdateState) -> None:
        """Files first: what a cut leaves is settled again in the same way."""
        if ended.answer is not None and ended.answer.result is not Result.SUCCESS:
            self._system.withdraw(ended.image)
            self._placement.clean_up(ended, self._system.running)
        # Also after a success: a person may have restored the image from elsewhere while this one waited.
        self._placement.remove_part(ended.image)
        # What the owner has said was about this offer. A later one of the same action is asked about again, whatever a
        # cut leaves: an agreement is gone before the end is stored, a denial stays until it is.
        self._consent.forget(ended.action, agreed=True)
        record.record(ended)
        self._consent.forget(ended.action, agreed=False)
        self.show(ended)

    def show(self, ended: UpdateState) -> None:
        for text in ended.answer.details if ended.answer is not None else ():
            self._bus.message(f"action {ended.action}: {text}")

    def send_first(self, record: StateFile) -> None:
        """The answer that the server cannot have yet. Raises NetworkFault."""
        state = record.value
        if state is not None and not state.sent:
            self._send(record)

    def send_once_more(self, record: StateFile, poll: Poll) -> bool:
        """The answer that the server may have: the unit has not seen that it was taken. A server that has nothing to do
        for the unit has it, and might count it twice. Returns whether it was sent: ``poll`` is of the time before.
        Raises NetworkFault."""
        state = record.value
        if state is None or not state.sent or not state.owes_answer:
            return False
        if poll.has_work:
            self._send(record)
            return True
        record.record(replace(state, answered=True))
        self._bus.log(f"action {state.action}: the server has the answer: it has nothing more to do")
        return False

    def answer_again(self, record: StateFile) -> None:
        """The server does not know the answer that it has taken: it has crashed since, or never stored it. Of a
        cancellation it knows nothing either then."""
        state = record.value
        if state is not None and state.answer is not None:
            is_canceled = state.answer.result is Result.CANCELED
            answer = replace(state.answer, result=Result.FAILURE) if is_canceled else state.answer
            self._deliver(state, answer)

    def cancel(self, record: StateFile, url: str) -> None:
        """Raises GprovError."""
        cancel, action = self._server.cancellation(url)
        state = record.value
        if state is None or state.action != action:
            self._server.accept_cancellation(cancel, ["this unit has done nothing for the action"])
        elif not state.is_open:
            self._answer_late_cancellation(state, cancel)
        else:  # after the restart for its restore, the action has ended by now
            # First: a request that is withdrawn and not restored would else be taken for one that failed.
            canceled = replace(state, cancel=cancel)
            record.record(canceled)
            self.end(record, canceled.ended(Result.CANCELED, CANCELED))

    def _send(self, record: StateFile) -> None:
        state = record.value
        if state is not None and state.answer is not None and not state.answered:
            sent = replace(state, sent=True)
            record.record(sent)
            self._deliver(sent, state.answer)
            record.record(replace(sent, answered=True))

    def _deliver(self, state: UpdateState, answer: Answer) -> None:
        status = self._server.answer(state.action, answer, state.cancel)
        if status < HTTPStatus.MULTIPLE_CHOICES:
            self._bus.log(f"action {state.action}: the server has the answer: {answer.result.value}")
        else:
            self._bus.warning(f"action {state.action}: the server does not take the answer: status {status}")

    def _answer_late_cancellation(self, state: UpdateState, cancel: str) -> None:
        details = state.answer.details if state.answer is not None else ()
        if state.answer is not None and state.answer.result is Result.SUCCESS:
            self._server.reject_cancellation(cancel, ["the image is installed", *details])
        else:
            self._server.accept_cancellation(cancel, ["the action had ended before", *details])
