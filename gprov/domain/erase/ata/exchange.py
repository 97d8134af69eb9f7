"""One ATA command, sent as ATA PASS-THROUGH (16), and what its reply means."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.erase.drive_io import DEFAULT_SECONDS, Protocol
from gprov.domain.erase.scsi.exchange import Answer, Outcome, send
from gprov.domain.errors import BadInput
from gprov.domain.formats.ata.commands import SECTOR, AtaCommand, identify_device
from gprov.domain.formats.ata.identify import Identify, parse_identify
from gprov.domain.formats.ata.registers import AtaRegisters
from gprov.domain.formats.scsi.pass_through import pass_through_16
from gprov.domain.formats.scsi.sense import SenseKey


@dataclass(frozen=True, slots=True, kw_only=True)
class AtaOutcome:
    """``registers``: None if they were not returned: not asked for (commands with data), or dropped by a bridge.
    REFUSED: the drive aborted the command, or a bridge did not pass it on."""

    answer: Answer
    registers: AtaRegisters | None = None
    data: bytes = field(default=b"", repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Data that the drive did not return as it must, and why. ``answer``: that of the command."""

    reason: str
    answer: Answer


def send_ata(command: AtaCommand, seconds: float = DEFAULT_SECONDS) -> Protocol[AtaOutcome]:
    cdb = pass_through_16(command)
    outcome = yield from send(cdb, command.sectors_in * SECTOR, command.data_out, seconds)
    return _ata_outcome(outcome)


def identify() -> Protocol[Identify | Unreadable]:
    """IDENTIFY DEVICE data, read from the drive now: what a translation layer keeps of it (INQUIRY page 89h) may be
    older than its security status."""
    outcome = yield from send_ata(identify_device())
    if outcome.answer is not Answer.DONE:
        return Unreadable(f"IDENTIFY DEVICE: {outcome.problem}", outcome.answer)
    try:
        return parse_identify(outcome.data)
    except BadInput as error:
        return Unreadable(str(error), outcome.answer)


def _ata_outcome(outcome: Outcome) -> AtaOutcome:
    registers = outcome.sense.ata if outcome.sense is not None else None
    if registers is not None and registers.failed:
        answer = Answer.REFUSED if registers.aborted else Answer.FAILED
        return AtaOutcome(answer=answer, registers=registers, problem=f"aborted, {registers.describe()}")
    aborted = outcome.sense is not None and outcome.sense.key == SenseKey.ABORTED_COMMAND
    answer = Answer.REFUSED if aborted and outcome.answer is Answer.FAILED else outcome.answer
    return AtaOutcome(answer=answer, registers=registers, data=outcome.data, problem=outcome.problem)
