"""Kinds of firmware."""

from __future__ import annotations

from enum import Enum


class FirmwareKind(Enum):
    UEFI = "uefi"
    BIOS = "bios"
