"""Firmware: how the machine was started, its variables, its tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

EFI_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


class FirmwareKind(Enum):
    UEFI = "uefi"
    BIOS = "bios"


@dataclass(frozen=True, slots=True)
class VariableName:
    """``vendor`` is the GUID in lower case."""

    name: str
    vendor: str = EFI_GLOBAL


@dataclass(frozen=True, slots=True)
class Variable:
    """``attributes``: EFI_VARIABLE_* bits (7: non-volatile, boot and run-time access)."""

    attributes: int
    data: bytes


class Firmware(Protocol):
    def kind(self) -> FirmwareKind: ...

    def variables(self) -> tuple[VariableName, ...]:
        """All variables, sorted. Empty on BIOS."""

    def read(self, name: VariableName) -> Variable | None:
        """None if there is no such variable. Raises DeviceFault."""

    def write(self, name: VariableName, variable: Variable) -> None:
        """Set it; already equal content is the caller's business (NVRAM wears). Raises DeviceFault (full, refused)."""

    def delete(self, name: VariableName) -> None:
        """No error if it does not exist. Raises DeviceFault."""


class SmbiosTable(Protocol):
    def structures(self) -> bytes:
        """The raw structure table (without entry point). Raises DeviceMissing if the firmware has none."""
