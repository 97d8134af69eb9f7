"""SMBIOS of a machine as documents for a factory server: fields to read, and the raw table."""

from __future__ import annotations

import base64
import json

from gprov.domain.formats.smbios.dmidecode_keywords import keywords
from gprov.domain.formats.smbios.table import SmbiosTable


def identity_text(table: SmbiosTable) -> str:
    """JSON: dmidecode's keywords with their values, one value per line. Keywords without a value are left out."""
    values = {name: "\n".join(found) for name, found in keywords(table).items() if found}
    return f"{json.dumps(values, indent=2)}\n"


def raw_text(table: bytes) -> str:
    """The raw structure table in base64 (RFC 2045, lines of 76 characters): ``base64 -d`` restores the bytes."""
    return base64.encodebytes(table).decode("ascii")
