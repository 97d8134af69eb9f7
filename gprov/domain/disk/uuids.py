"""UUIDs of the volumes that a plan creates, known before the volumes exist."""

from __future__ import annotations

import hashlib


def volume_uuid(*facts: str) -> str:
    """UUID in the form of RFC 4122, version 5, derived from the facts: equal facts yield equal UUIDs."""
    digest = bytearray(hashlib.sha1("\0".join(facts).encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
