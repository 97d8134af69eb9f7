"""Firmware variables that a person names for removal."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput
from gprov.domain.formats.efi.guid import guid_to_bytes
from gprov.domain.formats.efi.variables import EFI_GLOBAL, VariableName

# Image security database: db, dbx, dbt (UEFI specification 2.10, 32.6.1)
EFI_IMAGE_SECURITY = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
_GUID_LENGTH = 36
_PROTECTED = {
    EFI_GLOBAL: "boot entries, consoles and keys of the firmware: without them the unit may not start",
    EFI_IMAGE_SECURITY: "the keys of Secure Boot",
}


@dataclass(frozen=True, slots=True, order=True)
class VariableChoice:
    """One variable, or all of a vendor. ``vendor``: GUID in lower case; ``name``: "" for all."""

    vendor: str
    name: str = ""

    def covers(self, variable: VariableName) -> bool:
        return variable.vendor == self.vendor and self.name in ("", variable.name)

    def text(self) -> str:
        """Inverse of ``parse_choice``."""
        return f"{self.name}-{self.vendor}" if self.name else self.vendor


def parse_choice(text: str) -> VariableChoice:
    """``GUID``, or ``NAME-GUID`` as efivarfs names its files. Raises ValueError also for variables of the firmware
    itself."""
    name, vendor = text[:-_GUID_LENGTH], text[-_GUID_LENGTH:].lower()
    try:
        guid_to_bytes(vendor)
    except BadInput as error:
        raise ValueError(f"{text!r} is neither GUID nor NAME-GUID") from error
    if name and (not name.endswith("-") or name == "-"):
        raise ValueError(f"{text!r} is neither GUID nor NAME-GUID")
    if vendor in _PROTECTED:
        raise ValueError(f"variables of {vendor} are not removed: {_PROTECTED[vendor]}")
    return VariableChoice(vendor, name[:-1])
