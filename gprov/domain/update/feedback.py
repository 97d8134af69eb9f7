"""What a unit reports to a DDI server: progress and end of an action, and its attributes.

Source: hawkBit's documentation of the Direct Device Integration API, version 1, "Feedback for an action".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

MAX_DETAILS = 20
MAX_DETAIL = 500  # characters: hawkBit stores messages of at most 512
MAX_ATTRIBUTE = 128  # characters of a key or value


class Execution(StrEnum):
    PROCEEDING = "proceeding"
    CLOSED = "closed"
    REJECTED = "rejected"


class Finished(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """``progress``: parts done, and parts in all; None if it is not known. ``time_ns``: UTC, since 1970."""

    execution: Execution
    finished: Finished
    details: Sequence[str] = ()
    progress: tuple[int, int] | None = None
    time_ns: int = 0


def serialise_feedback(feedback: Feedback) -> bytes:
    result: dict[str, object] = {"finished": feedback.finished.value}
    if feedback.progress is not None:
        done, total = feedback.progress
        result["progress"] = {"cnt": done, "of": total}
    moment = datetime.fromtimestamp(feedback.time_ns // 10**9, UTC)
    status = {"execution": feedback.execution.value, "result": result, "details": _details(feedback.details)}
    return json.dumps({"time": moment.strftime("%Y%m%dT%H%M%S"), "status": status}).encode("ascii")


def serialise_attributes(attributes: Mapping[str, str]) -> bytes:
    """For ``configData``: attributes that the server has and that are not named here stay."""
    data = {_bounded(key, MAX_ATTRIBUTE): _bounded(value, MAX_ATTRIBUTE) for key, value in attributes.items()}
    return json.dumps({"mode": "merge", "data": data}).encode("ascii")


def serialise_confirmation(details: Sequence[str], *, agreed: bool) -> bytes:
    """For ``confirmationBase``."""
    word = "confirmed" if agreed else "denied"
    return json.dumps({"confirmation": word, "details": _details(details)}).encode("ascii")


def _details(details: Sequence[str]) -> list[str]:
    return [_bounded(text) for text in details if text][:MAX_DETAILS]


def _bounded(text: str, most: int = MAX_DETAIL) -> str:
    """Printable, on one line, without half characters (names of files can have them)."""
    readable = text.encode("utf-8", "replace").decode()
    return "".join(one if one.isprintable() else " " for one in readable)[:most]
