"""Messages as the API description shows them: pydantic models at the edge.

Requests are *parsed* by ``gprov.domain.factory.requests``, which the client shares and which reports all problems at
once; a test holds these models against what the client sends. Replies are made by these models.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gprov.domain.events import ProcessState, StepPhase
from gprov.domain.factory import syntax
from gprov.domain.factory.documents import Held
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.states import Verdict

Nanoseconds = Field(description="UTC, nanoseconds since 1970")


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    serial: str = Field(max_length=syntax.MAX_SERIAL, description="Printable ASCII.")
    session: str = Field(
        pattern="^[0-9a-f]{32}$", description="Random name of this run of the client. Keep it secret: see credentials."
    )


class EventIn(BaseModel):
    """One event. Which of the other fields there are depends on ``type``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    number: int = Field(ge=0, description="Order within the session; the same number again is ignored.")
    time_ns: int = Field(ge=0, description="UTC, nanoseconds since 1970, by the unit's clock")
    type: Literal["LOG", "MSG", "WARNING", "ERROR", "PROGRESS", "STATE", "STEP", "MILESTONE"]
    text: str = Field(default="", max_length=syntax.MAX_TEXT, description="LOG, MSG, WARNING, ERROR")
    task: str = Field(default="", max_length=syntax.MAX_LABEL, description="PROGRESS")
    done: int = Field(default=0, ge=0, description="PROGRESS")
    total: int = Field(default=0, ge=0, description="PROGRESS; 0: nobody knows")
    state: ProcessState = Field(default=ProcessState.UNKNOWN, description="STATE")
    description: str = Field(default="", max_length=syntax.MAX_LABEL, description="STEP")
    phase: StepPhase = Field(default=StepPhase.STARTED, description="STEP")
    elapsed_ns: int = Field(default=0, ge=0, description="STEP")
    error: str = Field(default="", max_length=syntax.MAX_TEXT, description="STEP")
    name: str = Field(default="", max_length=syntax.MAX_LABEL, description="MILESTONE")
    uptime_ns: int = Field(default=0, ge=0, description="MILESTONE: since the kernel started")


class EventsIn(_Message):
    events: list[EventIn] = Field(max_length=syntax.MAX_EVENTS)


class StateIn(_Message):
    state: ProcessState


class CodeNameIn(_Message):
    code_name: str = Field(min_length=1, max_length=syntax.MAX_NAME)


class NicModel(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, from_attributes=True)

    name: str = Field(max_length=syntax.MAX_NAME, description="Interface name")
    mac: str = Field(description="Lower case, with colons")


class MacsIn(_Message):
    nics: list[NicModel] = Field(max_length=syntax.MAX_NICS, description="In order")
    bmc: list[str] = Field(max_length=syntax.MAX_NICS, description="MACs of the management controller")


class DocumentIn(_Message):
    name: str = Field(min_length=1, max_length=syntax.MAX_NAME, description="Printable ASCII")
    content: str = Field(max_length=syntax.MAX_DOCUMENT)


class CredentialsIn(_Message):
    pass


class CredentialsOut(BaseModel):
    os: str = Field(description="Password of the account admin")
    bios: str = Field(description="Password of the BIOS setup")
    ipmi: str = Field(description="Password of the management controller; at most 16 bytes")


class ProblemOut(BaseModel):
    place: str = Field(description="Where in the message: $.events[3].type")
    message: str


class ErrorOut(BaseModel):
    """Every reply that is not a success. ``refusal``: why credentials were refused."""

    error: str
    problems: list[ProblemOut]
    refusal: Refusal | None = None


class StoredOut(BaseModel):
    stored: int = Field(description="How many were new; what was sent before is not counted")


class TimeOut(BaseModel):
    time_ns: int = Nanoseconds


class _Reply(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class UnitOut(_Reply):
    serial: str
    code_name: str = Field(description="Empty: not reported")
    state: ProcessState
    state_ns: int = Nanoseconds
    first_seen_ns: int = Nanoseconds
    last_seen_ns: int = Nanoseconds


class UnitsOut(BaseModel):
    units: list[UnitOut] = Field(description="Most recently heard of first")


class StateOut(_Reply):
    state: ProcessState
    received_ns: int = Nanoseconds
    session: int = Field(description="The how-manieth session of this unit")
    verdict: Verdict = Field(description="contradicted: success after failure in one session, not applied")


class DocumentOut(_Reply):
    name: str
    status: Held
    received_ns: int = Nanoseconds
    hold_until_ns: int = Nanoseconds
    decided_ns: int | None = Field(description="When it was released or discarded")
    reason: str
    file: str = Field(description="Its name in the documents folder once it was released and written")
    written: bool


class CredentialRecordOut(_Reply):
    made: bool
    handed_out: int = Field(description="How often")
    last_ns: int | None = Field(description="When last")
    last_peer: str = Field(description="To which address last")
    sealed: bool = Field(description="The unit was provisioned; no more hand-outs unless reopened")


class UnitDetailOut(_Reply):
    summary: UnitOut
    nics: list[NicModel]
    bmc: list[str]
    states: list[StateOut] = Field(description="Oldest first")
    documents: list[DocumentOut] = Field(description="Oldest first")
    credentials: CredentialRecordOut


class EventOut(_Reply):
    seq: int = Field(description="Place in the log of the unit")
    session: int | None = Field(description="The how-manieth session of this unit; null: a note of the server")
    number: int | None = Field(description="Order within the session")
    time_ns: int = Nanoseconds
    received_ns: int = Nanoseconds
    type: str = Field(description="As posted, or SERVER for notes of the server")
    text: str = Field(description="One line for a person")
    fields: dict[str, Any] = Field(description="What the type adds")


class EventsOut(BaseModel):
    events: list[EventOut] = Field(description="Oldest first")
    next: int | None = Field(description="Ask with after=next for more; null: that was all for now")
