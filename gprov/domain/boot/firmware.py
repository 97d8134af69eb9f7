"""The kind of firmware that started the machine."""

from __future__ import annotations

from enum import Enum


class FirmwareKind(Enum):
    UEFI = "uefi"
    BIOS = "bios"
