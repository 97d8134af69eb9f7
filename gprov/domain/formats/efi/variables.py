"""Variables that UEFI firmware keeps in NVRAM (UEFI specification 2.10, 8.2)."""

from __future__ import annotations

from dataclasses import dataclass

EFI_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


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
