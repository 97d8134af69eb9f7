"""What the stand-in for hawkBit keeps of a deployment: its artifacts, its state, and what the device answered.

Rules of hawkBit: an action has an id of its own at each assignment. Its first final answer ends it, and answers that
come later are refused with 410. A new assignment cancels the actions before it. One that is being canceled ends when
the device agrees, and goes on when the device rejects that.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any


class State(Enum):
    WAITING = "waits for confirmation"
    RUNNING = "running"
    CANCELING = "canceling"
    FINISHED = "finished"
    ERROR = "error"
    CANCELED = "canceled"

    @property
    def active(self) -> bool:
        return self in (State.WAITING, State.RUNNING, State.CANCELING)


@dataclass(frozen=True, slots=True)
class Artifact:
    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    def hashes(self, names: tuple[str, ...]) -> dict[str, str]:
        content = self.path.read_bytes()
        return {name: hashlib.new(name, content).hexdigest() for name in names}


@dataclass(slots=True, kw_only=True)
class Action:
    """``feedback``: what was stored of the device's answers, in order; ``finals``: those of them that ended it;
    ``late``: final answers that were refused, since it had ended. ``cancel_feedback``, ``confirmations``: of those
    channels."""

    number: int
    device: str
    artifacts: tuple[Artifact, ...]
    version: str
    download: str = "forced"
    update: str = "forced"
    window: str | None = None
    state: State = State.RUNNING
    feedback: list[dict[str, Any]] = field(default_factory=list)
    finals: list[dict[str, Any]] = field(default_factory=list)
    late: list[dict[str, Any]] = field(default_factory=list)
    cancel_feedback: list[dict[str, Any]] = field(default_factory=list)
    confirmations: list[dict[str, Any]] = field(default_factory=list)

    def answered(self, answer: dict[str, Any]) -> int:
        """Returns the HTTP status."""
        final = _final_state(answer)
        if self.state is State.WAITING:
            return 404
        if not self.state.active:
            if final is not None:
                self.late.append(answer)
            return 410
        self.feedback.append(answer)
        if final is not None:
            self.finals.append(answer)
            self.state = final
        return 200

    def cancel_answered(self, answer: dict[str, Any]) -> int:
        if self.state is not State.CANCELING:
            return 405
        self.cancel_feedback.append(answer)
        match answer["status"]["execution"], answer["status"]["result"]["finished"]:
            case ("rejected", _) | ("closed", "failure"):
                self.state = State.RUNNING
            case ("closed", _):
                self.state = State.CANCELED
            case _:
                pass  # a remark
        return 200

    def confirmed(self, answer: dict[str, Any]) -> int:
        if not self.state.active:
            return 410
        if self.state is not State.WAITING:
            return 404
        self.confirmations.append(answer)
        if answer["confirmation"] == "confirmed":
            self.state = State.RUNNING
        return 200


def _final_state(answer: dict[str, Any]) -> State | None:
    match answer["status"]["execution"], answer["status"]["result"]["finished"]:
        case ("closed", "failure"):
            return State.ERROR
        case ("closed", _):
            return State.FINISHED
        case ("canceled", _):
            return State.CANCELED
        case _:
            return None
