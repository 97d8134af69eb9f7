"""Runs the protocol of a technique: sends its requests to the drive, and the replies to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from gprov.domain.disk.model import Disk
from gprov.domain.erase.drive_io import (
    DriveReply,
    DriveRequest,
    NoReply,
    NvmeCommand,
    Protocol,
    ScsiCommand,
    Wait,
    Waited,
)
from gprov.domain.errors import DeviceFault
from gprov.ports.clock import Clock, Deadline
from gprov.ports.drives import DriveQueries

Result = TypeVar("Result")
# Called at each wait with the fraction that the drive states as completed, None if it states none.
FractionDone = Callable[[float | None], None]


def run_protocol(
    protocol: Protocol[Result],
    drive: DriveQueries,
    disk: Disk,
    clock: Clock,
    deadline: Deadline,
    progress: FractionDone = lambda _: None,
) -> Result:
    """Return the protocol's result. ``drive``: the queries, or the commands, of the disk. A command that the adapter
    refuses counts as one without reply; the protocol handles it."""

    def reply_to(request: DriveRequest) -> DriveReply:
        try:
            match request:
                case ScsiCommand():
                    return drive.scsi(disk, request)
                case NvmeCommand():
                    return drive.nvme(disk, request)
                case Wait():
                    progress(request.done)
                    clock.sleep(min(request.seconds, deadline.remaining))
                    return Waited(expired=deadline.passed)
        except DeviceFault as fault:
            return NoReply(str(fault))

    try:
        request = next(protocol)
        while True:
            request = protocol.send(reply_to(request))
    except StopIteration as stop:
        return cast("Result", stop.value)
