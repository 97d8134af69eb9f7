"""Keys of ``DmiMatches``: a keyword of dmidecode ("bios-vendor"), or a structure type, an optional index from 0, and a
label ("17[1] Part Number")."""

from __future__ import annotations

import re

from gprov.domain.formats.smbios.dmidecode_fields import field, known_label
from gprov.domain.formats.smbios.dmidecode_keywords import KEYWORDS, keyword
from gprov.domain.formats.smbios.table import SmbiosTable

_KEY = re.compile(r"(?P<type>[0-9]{1,3})(\[(?P<index>[0-9]{1,4})\])? +(?P<label>\S.*)")


def dmi_key_problem(key: str) -> str:
    """Why no machine can have a value for this key; "" if one can."""
    if key in KEYWORDS:
        return ""
    parts = _KEY.fullmatch(key.strip())
    if parts is None:
        return "is neither a keyword of dmidecode nor a structure type with a label"
    if not known_label(int(parts["type"]), parts["label"]):
        return f"{parts['label']!r} is not a known field of SMBIOS type {parts['type']}"
    return ""


def dmi_values(smbios: SmbiosTable, key: str) -> tuple[str, ...]:
    """Values of a keyword, one per structure, or the value of a label; empty if the table has none."""
    if key in KEYWORDS:
        return tuple(value.strip() for value in keyword(smbios, key))
    parts = _KEY.fullmatch(key.strip())
    value = field(smbios, int(parts["type"]), parts["label"], int(parts["index"] or 0)) if parts else None
    return () if value is None else (value.strip(),)
