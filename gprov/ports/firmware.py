"""Firmware: its kind, its variables (read-only; writing is ``gprov.ports.destructive``), its tables."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.formats.efi.variables import Variable, VariableName


class Firmware(Protocol):
    def kind(self) -> FirmwareKind: ...

    def variables(self) -> tuple[VariableName, ...]:
        """All variables, sorted. Empty on BIOS."""

    def read(self, name: VariableName) -> Variable | None:
        """Read a variable; None if it does not exist. Raises DeviceFault."""


class SmbiosTable(Protocol):
    def structures(self) -> bytes:
        """The raw structure table (without entry point). Raises DeviceMissing if the firmware has none."""
