"""Pages of vital product data of simulated drives (SPC-4, SBC-4, SAT-5)."""

from __future__ import annotations

from typing import Protocol


class Identity(Protocol):
    @property
    def vendor(self) -> str: ...
    @property
    def product(self) -> str: ...
    @property
    def serial(self) -> str: ...
    @property
    def wwn(self) -> int: ...
    @property
    def rotation_rate(self) -> int: ...
    @property
    def ata_information(self) -> bytes: ...


def vital_page(identity: Identity, page: int) -> bytes | None:
    """Contents of a page behind its header; None if the drive does not have it."""
    pages = {
        0x80: identity.serial.encode("ascii").ljust(20),
        0x83: _designators(identity),
        0xB0: bytes([0, 0, 0, 8, 0, 0, 0x40, 0]) + bytes(52),
        0xB1: identity.rotation_rate.to_bytes(2) + bytes(58),
        0xB2: bytes(4),
    }
    if identity.ata_information:
        pages[0x89] = identity.ata_information
    if page == 0x00:
        return bytes(sorted([0x00, *pages]))
    return pages.get(page)


def ata_information(identify: bytes) -> bytes:
    """Contents of page 89h."""
    head = bytes(4) + b"gprov   " + b"simulated bridge" + b"1.00"
    signature = bytes([0x34, 0, 0x50, 0, 1, 0, 0, 0x40]) + bytes(4) + bytes([1]) + bytes(7)
    return head + signature + bytes([0xEC, 0, 0, 0]) + identify


def _designators(identity: Identity) -> bytes:
    naa = bytes([0x01, 0x03, 0x00, 0x08, *identity.wwn.to_bytes(8)])
    name = f"{identity.vendor:8.8}{identity.product:16.16}{identity.serial}".encode("ascii")
    return naa + bytes([0x02, 0x01, 0x00, len(name)]) + name
