"""Kinds of documents that a unit delivers to the factory server."""

from __future__ import annotations

from enum import Enum


class DocumentKind(Enum):
    """The values go over the wire and are stored."""

    QA = "qa"  # certifies a unit: held, and released after its first restore
    DIFFERENCES = "differences"  # what is not as specified, as JSON
    HARDWARE = "hardware"  # what was detected, as an entry of ValidationData
    IDENTITY = "identity"  # the fields of SMBIOS
    BURN_IN = "burn-in"  # report of a burn-in
    SMBIOS = "smbios"  # the raw table in base64
