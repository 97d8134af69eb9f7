"""Sanitize Status log page, 81h (NVM Express Base Specification 2.0; Figure 291 of 2.1).

The page is retained across power cycles and resets. It describes the most recent sanitize operation; nothing in it
counts the operations.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.nvme.commands import SanitizeParameters, parse_sanitize_dword10

SANITIZE_LOG_SIZE = 512
# SPROG of every state but IN_PROGRESS.
NOT_IN_PROGRESS = 0xFFFF
_WHOLE = 0x10000
_NOT_STATED = 0xFFFFFFFF
_DATA_ERASED = 1 << 8
_PAGE = struct.Struct("<HHI6I")


class SanitizeState(Enum):
    """Sanitize Operation Status, bits 0 to 2 of SSTAT. SUCCEEDED_DEALLOCATED: the blocks were deallocated although the
    command asked to keep them allocated."""

    NEVER = 0
    SUCCEEDED = 1
    IN_PROGRESS = 2
    FAILED = 3
    SUCCEEDED_DEALLOCATED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SanitizeLog:
    """``sprog``: progress in 65536ths. ``passes``: overwrite passes completed. ``data_erased``: Global Data Erased, no
    user data was written since the last successful sanitize operation, or ever. ``scdw10``: dword 10 of the command
    that began the operation. ``estimates``: seconds for overwrite, block erase and crypto erase, then the same without
    deallocation, FFFFFFFFh if not stated."""

    state: SanitizeState = SanitizeState.NEVER
    sprog: int = NOT_IN_PROGRESS
    passes: int = 0
    data_erased: bool = False
    scdw10: int = 0
    estimates: tuple[int, int, int, int, int, int] = (_NOT_STATED,) * 6

    @property
    def progress(self) -> float:
        """Fraction completed; 1 unless an operation is in progress."""
        return min(1.0, self.sprog / _WHOLE) if self.state is SanitizeState.IN_PROGRESS else 1.0

    @property
    def parameters(self) -> SanitizeParameters | None:
        """What the most recent command asked for; None if there is none, or one that is not defined."""
        return parse_sanitize_dword10(self.scdw10)

    @property
    def overwrite_seconds(self) -> int | None:
        return _stated(self.estimates[0])

    @property
    def block_seconds(self) -> int | None:
        return _stated(self.estimates[1])

    @property
    def crypto_seconds(self) -> int | None:
        return _stated(self.estimates[2])


def parse_sanitize_log(raw: bytes) -> SanitizeLog:
    """``raw``: 512 bytes. Raises BadInput."""
    what = "NVMe sanitize status log"
    if len(raw) != SANITIZE_LOG_SIZE:
        raise BadInput(what, [Problem("", f"has {len(raw)} bytes, not {SANITIZE_LOG_SIZE}")])
    sprog, sstat, scdw10, *estimates = _PAGE.unpack_from(raw)
    try:
        state = SanitizeState(sstat & 7)
    except ValueError:
        raise BadInput(what, [Problem("SSTAT", f"the status {sstat & 7} is not defined")]) from None
    overwrite, block, crypto, *kept = estimates
    return SanitizeLog(
        state=state,
        sprog=sprog,
        passes=sstat >> 3 & 0x1F,
        data_erased=bool(sstat & _DATA_ERASED),
        scdw10=scdw10,
        estimates=(overwrite, block, crypto, kept[0], kept[1], kept[2]),
    )


def serialise_sanitize_log(log: SanitizeLog) -> bytes:
    sstat = log.state.value | log.passes << 3 | log.data_erased * _DATA_ERASED
    return _PAGE.pack(log.sprog, sstat, log.scdw10, *log.estimates).ljust(SANITIZE_LOG_SIZE, b"\0")


def _stated(seconds: int) -> int | None:
    return None if seconds == _NOT_STATED else seconds
