"""Firmware facts: how the machine was started, and the variables it keeps in NVRAM."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

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
