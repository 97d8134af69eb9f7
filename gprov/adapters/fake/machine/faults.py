"""Fault injection: each fault makes matching operations of the fakes fail.

Operations have names (``write /recovery/log/x: flush it``, ``read /recovery/Image/…``, ``verify …``, ``connect``). A
fault matches a part of the name; it also states how many matches to skip and how often to fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from errno import EIO, ENOSPC
from typing import assert_never

from gprov.domain.errors import ContentRefused, DeviceFault, IntegrityFault


class FaultKind(Enum):
    IO_ERROR = "eio"
    NO_SPACE = "enospc"
    REFUSED = "refused"  # a tool rejects its input
    DIFFERS = "differs"  # an image reads differently while it is unpacked
    SHORT = "short"  # a write stores half of the data and reports it
    SILENT = "silent"  # a write succeeds; its flush reports, once, that half of the data is lost
    VANISH = "vanish"  # detaches the disk with serial number ``disk``; unflushed data are lost
    SLOW = "slow"  # takes ``seconds``


# Faults of data writes only.
_WRITE_FAULTS = (FaultKind.SHORT, FaultKind.SILENT)


@dataclass(kw_only=True)
class Fault:
    """``where``: a part of an operation's name, "" for any. ``after``: number of matching operations to skip;
    ``times``: number of operations that fail. ``reappears``: a detached disk is attached again at the next start."""

    kind: FaultKind
    where: str = ""
    after: int = 0
    times: int = 1
    seconds: float = 0.0
    disk: str = ""
    reappears: bool = False

    def triggers(self, operation: str) -> bool:
        """Return whether VANISH or SLOW applies to this operation. Raises DeviceFault, ContentRefused or IntegrityFault
        for faults that fail the operation."""
        if self.kind in _WRITE_FAULTS or not self._consume(operation):
            return False
        match self.kind:
            case FaultKind.IO_ERROR:
                raise DeviceFault(_subject(operation), f"{operation}: input/output error", errno=EIO)
            case FaultKind.NO_SPACE:
                raise DeviceFault(_subject(operation), f"{operation}: no space left on device", errno=ENOSPC)
            case FaultKind.REFUSED:
                raise ContentRefused("tool", f"failed, exit status 2: {operation}")
            case FaultKind.DIFFERS:
                raise IntegrityFault(_subject(operation), f"{operation}: changed since it was verified")
            case FaultKind.VANISH | FaultKind.SLOW | FaultKind.SHORT | FaultKind.SILENT:
                return True
            case _:
                assert_never(self.kind)

    def affects_write(self, operation: str) -> bool:
        """Return whether SHORT or SILENT applies to this write; counts it."""
        return self.kind in _WRITE_FAULTS and self._consume(operation)

    def _consume(self, operation: str) -> bool:
        if self.kind is FaultKind.DIFFERS and not operation.startswith("extract "):
            return False
        if self.times <= 0 or self.where not in operation:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


def _subject(operation: str) -> str:
    """The path in the name of an operation, as the adapters of a unit name it in their errors; else the whole name."""
    paths = [word.rstrip(":") for word in operation.split() if word.startswith("/")]
    return paths[0] if paths else operation
