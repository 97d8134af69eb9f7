"""Sanitize state machine of a simulated ATA drive (ACS-4, states SD0 to SD4)."""

from __future__ import annotations

from collections.abc import Callable

from gprov.adapters.fake.drives.work import Work
from gprov.domain.formats.ata.registers import AtaRegisters
from gprov.ports.clock import Clock

_READY = 0x50
_FAILED = 0x51
_ABORT = 0x04
_KEYS = {0x0011: 0x43727970, 0x0012: 0x426B4572}
_OVERWRITE = 0x0014
_OVERWRITE_KEY = 0x4F57
_FREEZE, _FREEZE_KEY = 0x0020, 0x46724C6B
_ANTIFREEZE, _ANTIFREEZE_KEY = 0x0040, 0x416E7469


class SanitizeUnit:
    """``operations``: FEATURE values of the supported operations. ``finish``: called with the byte that the operation
    leaves (None: not foreseeable) at its end; returns False if the operation failed."""

    def __init__(
        self,
        clock: Clock,
        operations: frozenset[int],
        seconds: float,
        finish: Callable[[int | None], bool],
        *,
        antifreeze_supported: bool = True,
    ) -> None:
        self._clock = clock
        self._operations = operations
        self._seconds = seconds
        self._finish = finish
        self._antifreeze_supported = antifreeze_supported
        self.state = "SD0"
        self.antifreeze = False
        self.work: Work | None = None
        self._leaves: int | None = None
        self._failure_mode = False

    @property
    def in_progress(self) -> bool:
        return self.work is not None

    def power_on(self, *, frozen: bool) -> None:
        """An operation in progress continues. ``frozen``: the firmware of the machine sends FREEZE LOCK."""
        self.antifreeze = False
        if self.work is not None:
            self.work.continue_after_power_cycle()
        elif self.state != "SD3":
            self.state = "SD1" if frozen else "SD0"

    def settle(self) -> None:
        """End an operation whose time has passed."""
        if self.work is None:
            return
        self.work.advance()
        if self.work.fraction >= 1.0:
            self.work = None
            self.state = "SD4" if self._finish(self._leaves) else "SD3"

    def execute(self, feature: int, count: int, lba: int) -> AtaRegisters:
        """A command B4h."""
        if feature == 0x0000:
            return self._status(count)
        if feature == _FREEZE and lba == _FREEZE_KEY:
            return self._freeze()
        if feature == _ANTIFREEZE and lba == _ANTIFREEZE_KEY and self._antifreeze_supported:
            if self.state == "SD1":
                return _aborted(3)
            self.antifreeze = True
            return self._registers()
        if feature not in self._operations or not _key_is_right(feature, lba):
            return _aborted(2)
        return self._start(feature, count, lba)

    def _status(self, count: int) -> AtaRegisters:
        if self.state == "SD3":
            if not (count & 1 and self._failure_mode):
                return _aborted(1)
            self.state = "SD0"
        return self._registers()

    def _freeze(self) -> AtaRegisters:
        if self.antifreeze:
            return _aborted(4)
        if self.work is None and self.state != "SD3":
            self.state = "SD1"
        return self._registers()

    def _start(self, feature: int, count: int, lba: int) -> AtaRegisters:
        if self.state == "SD1":
            return _aborted(3)
        if self.work is not None:
            return _aborted(0)
        self.state, self._failure_mode = "SD2", bool(count & 0x10)
        self._leaves = {0x0011: None, 0x0012: 0xFF, _OVERWRITE: lba & 0xFF}[feature]
        self.work = Work(self._clock, self._seconds)
        return self._registers()

    def _registers(self) -> AtaRegisters:
        flags = {"SD4": 0x8000, "SD2": 0x4000, "SD1": 0x2000}.get(self.state, 0) | 0x1000 * self.antifreeze
        progress = min(0xFFFF, int(self.work.fraction * 0x10000)) if self.work is not None else 0xFFFF
        return AtaRegisters(status=_READY, count=flags, lba=progress)


def _key_is_right(feature: int, lba: int) -> bool:
    if feature == _OVERWRITE:
        return lba >> 32 == _OVERWRITE_KEY
    return lba == _KEYS[feature]


def _aborted(reason: int) -> AtaRegisters:
    return AtaRegisters(status=_FAILED, error=_ABORT, lba=reason)
