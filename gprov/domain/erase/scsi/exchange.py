"""One SCSI command and what its reply means."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from gprov.domain.erase.drive_io import DEFAULT_SECONDS, NoReply, Protocol, ScsiCommand, ScsiReply, Wait, Waited
from gprov.domain.errors import BadInput
from gprov.domain.formats.scsi.sense import Sense, SenseKey, parse_sense

_GOOD = 0x00
_CHECK_CONDITION = 0x02
# A unit attention replaces the reply once for each event (power on, reset, changed parameters): the command was not
# carried out.
_UNIT_ATTENTIONS = 5


class Answer(Enum):
    """DONE: carried out. REFUSED: not carried out (not supported, not allowed now). FAILED: an error, perhaps on the
    way. LOST: no reply."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``sense``: None if there is none, or if it cannot be read. ``problem``: what is wrong, "" for DONE."""

    answer: Answer
    data: bytes = field(default=b"", repr=False)
    sense: Sense | None = None
    problem: str = ""


def send(cdb: bytes, data_in: int = 0, data_out: bytes = b"", seconds: float = DEFAULT_SECONDS) -> Protocol[Outcome]:
    """Send a command, again after a unit attention."""
    outcome = Outcome(answer=Answer.LOST, problem="no reply")
    for _ in range(_UNIT_ATTENTIONS):
        reply = yield ScsiCommand(cdb, data_in, data_out, seconds)
        outcome = _outcome(reply, data_in)
        if outcome.sense is None or outcome.sense.key != SenseKey.UNIT_ATTENTION:
            break
    return outcome


def pause(seconds: float, done: float | None = None) -> Protocol[bool]:
    """Wait. True if the time limit of the technique has passed."""
    reply = yield Wait(seconds, done)
    return isinstance(reply, Waited) and reply.expired


def _outcome(reply: object, data_in: int) -> Outcome:
    if isinstance(reply, NoReply):
        return Outcome(answer=Answer.LOST, problem=f"no reply: {reply.reason}")
    if not isinstance(reply, ScsiReply):
        return Outcome(answer=Answer.LOST, problem="no reply to a SCSI command")
    sense = _sense(reply.sense)
    data = reply.data[:data_in]
    if reply.status == _GOOD:
        return Outcome(answer=Answer.DONE, data=data, sense=sense)
    if reply.status != _CHECK_CONDITION:
        return Outcome(answer=Answer.FAILED, sense=sense, problem=f"SCSI status {reply.status:02X}h")
    if sense is None:
        return Outcome(answer=Answer.FAILED, problem="an error without sense data")
    if sense.deferred:
        return Outcome(answer=Answer.FAILED, sense=sense, problem=f"deferred error, {sense.describe()}")
    if sense.key in (SenseKey.NO_SENSE, SenseKey.RECOVERED_ERROR):
        return Outcome(answer=Answer.DONE, data=data, sense=sense)
    refused = sense.key in (SenseKey.ILLEGAL_REQUEST, SenseKey.DATA_PROTECT, SenseKey.UNIT_ATTENTION)
    answer = Answer.REFUSED if refused else Answer.FAILED
    return Outcome(answer=answer, data=data, sense=sense, problem=sense.describe())


def _sense(raw: bytes) -> Sense | None:
    if not raw:
        return None
    try:
        return parse_sense(raw)
    except BadInput:
        return None
