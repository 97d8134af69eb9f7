"""Registers that an ATA device returns at the end of a command (ACS-4, Normal Outputs and Error Outputs)."""

from __future__ import annotations

from dataclasses import dataclass

_ERROR_BIT = 0x01
_DEVICE_FAULT = 0x20
_ABORT = 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class AtaRegisters:
    """``complete``: False if only the low bytes of ``count`` and ``lba`` were transported (sense data of fixed
    format); the high bytes are then unknown and zero here."""

    status: int
    error: int = 0
    count: int = 0
    lba: int = 0
    device: int = 0
    complete: bool = True

    @property
    def failed(self) -> bool:
        """The command ended with an error (status bit ERROR or DEVICE FAULT)."""
        return bool(self.status & (_ERROR_BIT | _DEVICE_FAULT))

    @property
    def aborted(self) -> bool:
        return self.failed and bool(self.error & _ABORT)

    def describe(self) -> str:
        return f"status {self.status:02X}h, error {self.error:02X}h"
