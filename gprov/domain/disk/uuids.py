"""UUIDs of volumes that a plan makes: known before the volume exists, and never the same twice."""

from __future__ import annotations

import hashlib


def volume_uuid(*facts: str) -> str:
    """In the form of RFC 4122, version 5: the same for the same facts. What must differ has to be among them."""
    digest = bytearray(hashlib.sha1("\0".join(facts).encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
