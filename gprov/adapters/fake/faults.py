"""What goes wrong on a simulated machine besides the power: a list of faults that strike at operations.

Operations have names (``write /recovery/log/x: flush it``, ``read /recovery/Image/…``, ``verify …``, ``connect``); a
fault says by a part of the name where it strikes, which of these times first, and how often.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from errno import EIO, ENOSPC
from typing import TYPE_CHECKING, assert_never

from gprov.domain.errors import DeviceFault

if TYPE_CHECKING:
    from gprov.adapters.fake.machine import SimulatedMachine


class FaultKind(Enum):
    IO_ERROR = "eio"
    NO_SPACE = "enospc"
    PULLED = "pulled"  # the disk whose serial number is ``subject`` vanishes, and stays away
    SLOW = "slow"  # takes ``seconds``


@dataclass
class Fault:
    """``where``: a part of an operation's name, "" for any. ``after``: so many of those pass before it strikes;
    ``times``: how often it strikes, then it is over."""

    kind: FaultKind
    where: str = ""
    after: int = 0
    times: int = 1
    seconds: float = 0.0
    subject: str = ""

    def strike(self, machine: SimulatedMachine, operation: str) -> None:
        """Raises DeviceFault, or does to the machine what it is to do."""
        if self.times <= 0 or self.where not in operation:
            return
        if self.after:
            self.after -= 1
            return
        self.times -= 1
        match self.kind:
            case FaultKind.IO_ERROR:
                raise DeviceFault(operation, "input/output error", errno=EIO)
            case FaultKind.NO_SPACE:
                raise DeviceFault(operation, "no space left on device", errno=ENOSPC)
            case FaultKind.PULLED:
                for disk in machine.disks:
                    disk.gone = disk.gone or disk.serial == self.subject
            case FaultKind.SLOW:
                machine.clock.advance(self.seconds)
            case _:
                assert_never(self.kind)
