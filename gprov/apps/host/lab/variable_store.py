"""OVMF's variable store with keys of Secure Boot enrolled, as a factory's firmware has it. Pure.

Source: EDK II, MdePkg/Include/Pi/PiFirmwareVolume.h (header of the volume), MdeModulePkg/Include/Guid/VariableFormat.h
(store and variables, all little-endian). The firmware adds what it derives from these variables at its first start.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from gprov.domain.boot.secure_boot import ALLOWED, FORBIDDEN
from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.efi.guid import guid_to_bytes
from gprov.domain.formats.efi.signature_list import EntryKind, SignatureEntry, serialise_signature_lists
from gprov.domain.formats.efi.variables import VariableName

PLATFORM_KEY = VariableName("PK")
EXCHANGE_KEY = VariableName("KEK")
_OWNER = "8f2b7a54-0d0c-4b1e-9a55-6c61622d6770"  # of the lab; any GUID
_VOLUME_HEADER_SIZE = 48  # offset of the header's length
_STORE = struct.Struct("<16sIBBHI")  # kind, size, format, state, reserved
_AUTHENTICATED = guid_to_bytes("aaf32c78-947b-439a-a180-2e144ec37792")
# Mark, state (VAR_ADDED), reserved, attributes, count, time, index of a key, lengths of name and data, vendor.
_VARIABLE = struct.Struct("<HBBIQ16sIII16s")
_MARK, _ADDED = 0x55AA, 0x3F
# Non-volatile, at boot and run time, authenticated by time.
_ATTRIBUTES = 0x27
_TIME = struct.pack("<HBBBBBBIhBB", 2024, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0)  # EFI_TIME: later changes must be newer
_ERASED = b"\xff"


def enrolled_store(empty: bytes, certificate: bytes, forbidden: Sequence[bytes] = ()) -> bytes:
    """Return a store with a certificate (DER) as platform key, key exchange key and only entry of ``db``. ``empty``:
    OVMF's store without variables. ``forbidden``: Authenticode digests (32 bytes each) for ``dbx``. Raises BadInput."""
    start = _first_variable(empty)
    content = b"".join(_variables(certificate, forbidden))
    end = start + len(content)
    if empty[start:end] != _ERASED * len(content):
        raise BadInput("variable store", [Problem(f"offset {start}", "is not empty, or too small")])
    return empty[:start] + content + empty[end:]


def _first_variable(store: bytes) -> int:
    (volume_header,) = struct.unpack_from("<H", store, _VOLUME_HEADER_SIZE)
    if _STORE.unpack_from(store, volume_header)[0] != _AUTHENTICATED:
        raise BadInput("variable store", [Problem(f"offset {volume_header}", "is not of OVMF's kind")])
    return int(volume_header) + _STORE.size


def _variables(certificate: bytes, forbidden: Sequence[bytes]) -> Iterator[bytes]:
    key = [SignatureEntry(EntryKind.X509, _OWNER, certificate)]
    if forbidden:
        yield _variable(FORBIDDEN, [SignatureEntry(EntryKind.SHA256, _OWNER, digest) for digest in forbidden])
    for name in (ALLOWED, EXCHANGE_KEY, PLATFORM_KEY):
        yield _variable(name, key)


def _variable(name: VariableName, entries: Sequence[SignatureEntry]) -> bytes:
    text, data = name.name.encode("utf-16-le") + b"\0\0", serialise_signature_lists(entries)
    vendor = guid_to_bytes(name.vendor)
    header = _VARIABLE.pack(_MARK, _ADDED, 0, _ATTRIBUTES, 0, _TIME, 0, len(text), len(data), vendor)
    whole = header + text + data
    return whole + _ERASED * (-len(whole) % 4)
