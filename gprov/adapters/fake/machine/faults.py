"""What goes wrong on a simulated machine besides the power: a list of faults that strike at operations.

Operations have names (``write /recovery/log/x: flush it``, ``read /recovery/Image/…``, ``verify …``, ``connect``); a
fault says by a part of the name where it strikes, which of these times first, and how often.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from errno import EIO, ENOSPC
from typing import assert_never

from gprov.domain.errors import ContentRefused, DeviceFault


class FaultKind(Enum):
    IO_ERROR = "eio"
    NO_SPACE = "enospc"
    REFUSED = "refused"  # a tool does not take what it is given
    SHORT = "short"  # a write stores half of what it is given, and says so
    SILENT = "silent"  # a write seems to go well; flushing it says that half of it is lost, and says so once
    VANISH = "vanish"  # the disk whose serial number is ``disk`` is gone, with what it was not given to flush
    SLOW = "slow"  # takes ``seconds``


# What happens to data while they are written, and not at every operation.
_WRITE_FAULTS = (FaultKind.SHORT, FaultKind.SILENT)


@dataclass(kw_only=True)
class Fault:
    """``where``: a part of an operation's name, "" for any. ``after``: so many of those pass before it strikes;
    ``times``: how often it strikes, then it is over. ``comes_back``: a disk that vanished is there again at the next
    start."""

    kind: FaultKind
    where: str = ""
    after: int = 0
    times: int = 1
    seconds: float = 0.0
    disk: str = ""
    reappears: bool = False

    def triggers(self, operation: str) -> bool:
        """Does it strike the machine, by VANISH or SLOW, at this operation? Raises DeviceFault or
        ContentRefused if it fails it."""
        if self.kind in _WRITE_FAULTS or not self._consume(operation):
            return False
        match self.kind:
            case FaultKind.IO_ERROR:
                raise DeviceFault(operation, "input/output error", errno=EIO)
            case FaultKind.NO_SPACE:
                raise DeviceFault(operation, "no space left on device", errno=ENOSPC)
            case FaultKind.REFUSED:
                raise ContentRefused("tool", f"failed, exit status 2: {operation}")
            case FaultKind.VANISH | FaultKind.SLOW | FaultKind.SHORT | FaultKind.SILENT:
                return True
            case _:
                assert_never(self.kind)

    def affects_write(self, operation: str) -> bool:
        """Does it strike this write of data?"""
        return self.kind in _WRITE_FAULTS and self._consume(operation)

    def _consume(self, operation: str) -> bool:
        if self.times <= 0 or self.where not in operation:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True
