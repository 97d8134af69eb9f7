"""Signature databases of Secure Boot: ``PK``, ``KEK``, ``db``, ``dbx`` (UEFI specification 2.10, 32.4.1).

The content of such a variable is a sequence of lists (EFI_SIGNATURE_LIST); all entries of a list are of one kind and
size, and name their owner.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.efi.guid import SIZE, guid_from_bytes, guid_to_bytes

IMAGE_SECURITY = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"  # vendor GUID of db and dbx
_HEADER = struct.Struct("<16sIII")  # kind; sizes: of the list, of a header of the kind, of an entry with its owner


class EntryKind(Enum):
    """Kinds of entries, by GUID. X509: a certificate in DER. SHA256: the Authenticode digest of a program. The rest:
    SHA-2 of the part of a certificate that its issuer signs (TBSCertificate), and a time."""

    X509 = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"
    SHA256 = "c1c41626-504c-4092-aca9-41f936934328"
    X509_SHA256 = "3bd2a492-96c0-4079-b420-fcf98ef103ed"
    X509_SHA384 = "7076876e-80c2-4ee6-aad2-28b349a6865b"
    X509_SHA512 = "446dbf63-2502-4cda-bcfa-2465d2b0fe9d"


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """``kind``: None for one that is not in ``EntryKind``. ``owner``: GUID."""

    kind: EntryKind | None
    owner: str
    data: bytes


_KINDS = {kind.value: kind for kind in EntryKind}


def parse_signature_lists(source: str, data: bytes) -> tuple[SignatureEntry, ...]:
    """``source``: name of the variable. Raises BadInput."""
    entries: list[SignatureEntry] = []
    place = 0
    while place < len(data):
        if len(data) - place < _HEADER.size:
            raise _bad(source, place, "a list is cut short")
        kind, length, header, each = _HEADER.unpack_from(data, place)
        body = length - _HEADER.size - header
        if length > len(data) - place or body < 0 or each <= SIZE or body % each:
            raise _bad(source, place, f"sizes of a list do not fit: {length}, {header}, {each} bytes")
        first = place + _HEADER.size + header
        known = _KINDS.get(guid_from_bytes(kind))
        for start in range(first, place + length, each):
            owner = guid_from_bytes(data[start : start + SIZE])
            entries.append(SignatureEntry(known, owner, data[start + SIZE : start + each]))
        place += length
    return tuple(entries)


def serialise_signature_lists(entries: Sequence[SignatureEntry]) -> bytes:
    """One list for each entry. Raises BadInput for an entry of an unknown kind."""
    lists = []
    for entry in entries:
        if entry.kind is None:
            raise BadInput("signature list", [Problem("", "an entry is of no known kind")])
        each = SIZE + len(entry.data)
        header = _HEADER.pack(guid_to_bytes(entry.kind.value), _HEADER.size + each, 0, each)
        lists.append(header + guid_to_bytes(entry.owner) + entry.data)
    return b"".join(lists)


def _bad(source: str, place: int, text: str) -> BadInput:
    return BadInput(source, [Problem(f"offset {place}", text)])
