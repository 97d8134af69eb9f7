"""Commands to a drive and its replies, as values.

A *protocol* is a generator: it yields requests, is sent their replies, and returns its result. It holds the state
machine of a technique and performs no I/O; gprov.apps.unit.execution.erase runs it through the ports.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

Result = TypeVar("Result")

DEFAULT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ScsiCommand:
    """A SCSI command descriptor block. ``data_in``: bytes expected from the drive; ``data_out``: bytes sent to it (one
    of both). ATA commands travel as ATA PASS-THROUGH (SAT-5)."""

    cdb: bytes
    data_in: int = 0
    data_out: bytes = field(default=b"", repr=False)
    seconds: float = DEFAULT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmeCommand:
    """An NVMe admin command. ``dwords``: command dwords 10 to 15."""

    opcode: int
    namespace: int = 0
    dwords: tuple[int, int, int, int, int, int] = (0, 0, 0, 0, 0, 0)
    data_in: int = 0
    seconds: float = DEFAULT_SECONDS


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait before the next request. ``done``: fraction of the technique that the drive states as completed, if any."""

    seconds: float
    done: float | None = None


@dataclass(frozen=True, slots=True)
class ScsiReply:
    """``status``: SCSI status byte (0: GOOD, 2: CHECK CONDITION); ``sense``: sense data, empty if there is none;
    ``data``: what the drive returned, at most ``data_in`` bytes."""

    status: int
    sense: bytes = b""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class NvmeReply:
    """``status``: status code type (bits 8 to 10) and status code (bits 0 to 7), 0 if successful, as the kernel returns
    it; ``result``: dword 0 of the completion entry."""

    status: int
    result: int = 0
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class NoReply:
    """The command was not carried out to its end as far as the kernel could see: time limit, detached drive, refused
    pass-through. The state of the drive is unknown."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waited:
    """Reply to ``Wait``. ``expired``: the time limit of the whole technique has passed."""

    expired: bool = False


DriveRequest = ScsiCommand | NvmeCommand | Wait
DriveReply = ScsiReply | NvmeReply | NoReply | Waited
Protocol = Generator[DriveRequest, DriveReply, Result]
