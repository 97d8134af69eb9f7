"""Mode pages of simulated drives (SPC-4, SBC-4): error recovery, caching and control."""

from __future__ import annotations

_ALL = 0x3F
# WCE, no DRA: a write cache is enabled.
_CACHING = bytes([0x08, 0x12, 0x04]) + bytes(17)
_ERROR_RECOVERY = bytes([0x01, 0x0A]) + bytes(10)
_CONTROL = bytes([0x0A, 0x0A]) + bytes(10)
_PAGES = {0x01: _ERROR_RECOVERY, 0x08: _CACHING, 0x0A: _CONTROL}
_DPOFUA = 0x00


def mode_data(cdb: bytes, size: int) -> bytes | None:
    """Reply to MODE SENSE (6) or (10); None for a page that the drive does not have. Without block descriptors."""
    page, subpage = cdb[2] & 0x3F, cdb[3]
    if subpage not in (0, 0xFF) or (page != _ALL and page not in _PAGES):
        return None
    # Changeable values (page control 1): none.
    changeable = cdb[2] >> 6 == 1
    chosen = [contents for code, contents in _PAGES.items() if page in (code, _ALL)]
    pages = b"".join(one[:2] + bytes(len(one) - 2) if changeable else one for one in chosen)
    if size == 6:
        return (bytes([3 + len(pages), 0, _DPOFUA, 0]) + pages)[: cdb[4]]
    return ((6 + len(pages)).to_bytes(2) + bytes([0, _DPOFUA, 0, 0, 0, 0]) + pages)[: int.from_bytes(cdb[7:9])]
