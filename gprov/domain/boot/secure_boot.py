"""UEFI Secure Boot: whether it is on, and which programs the firmware starts then.

Source: UEFI specification 2.10, 3.3 (variables SecureBoot, SetupMode), 32.5.3 (authorisation of an image).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from gprov.domain.errors import BadInput
from gprov.domain.formats.efi.signature_list import (
    IMAGE_SECURITY,
    EntryKind,
    SignatureEntry,
    parse_signature_lists,
)
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.formats.pe import authenticode_digest, parse_pe, signatures

SECURE_BOOT = VariableName("SecureBoot")
SETUP_MODE = VariableName("SetupMode")
ALLOWED = VariableName("db", IMAGE_SECURITY)
FORBIDDEN = VariableName("dbx", IMAGE_SECURITY)

_HASHES = {
    EntryKind.X509_SHA256: hashlib.sha256,
    EntryKind.X509_SHA384: hashlib.sha384,
    EntryKind.X509_SHA512: hashlib.sha512,
}
_TIME_SIZE = 16  # EFI_TIME behind the hash of a certificate


class SecureBootState(Enum):
    """SETUP: no platform key is enrolled, so that the firmware starts everything, and any program may enrol keys.
    ABSENT: BIOS, or firmware without Secure Boot."""

    ABSENT = "absent"
    SETUP = "setup mode"
    OFF = "off"
    ON = "on"


class SignatureCheck(Protocol):
    """What ``gprov.ports.code_signatures`` does."""

    def verifies(self, signature: bytes, digest: bytes, certificate: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class KeyDatabases:
    """Entries of ``db`` and ``dbx``."""

    allowed: tuple[SignatureEntry, ...] = field(repr=False)
    forbidden: tuple[SignatureEntry, ...] = field(repr=False, default=())


ReadVariable = Callable[[VariableName], Variable | None]


def secure_boot_state(read: ReadVariable) -> SecureBootState:
    """Raises what ``read`` raises."""
    on, setup = _flag(read(SECURE_BOOT)), _flag(read(SETUP_MODE))
    if on is None:
        return SecureBootState.ABSENT
    if on:
        return SecureBootState.ON
    return SecureBootState.SETUP if setup else SecureBootState.OFF


def read_databases(read: ReadVariable) -> KeyDatabases:
    """Raises BadInput for damaged ones."""
    return KeyDatabases(_entries(ALLOWED, read), _entries(FORBIDDEN, read))


def refusal(content: bytes, databases: KeyDatabases, check: SignatureCheck) -> str:
    """Say why the firmware would not start a program; "" if it would. ``content``: of its file.

    Stricter than firmware where the specification lets it choose, never less strict: times of revocations count as
    past, and a signature by a certificate that is not itself in ``db`` (only its issuer is) has to lead to one that is.
    """
    try:
        image = parse_pe(content)
        signed_by = signatures(image, content)
    except BadInput as error:
        return "; ".join(error.details())
    digest = authenticode_digest(image, content)
    if (EntryKind.SHA256, digest) in _plain(databases.forbidden):
        return "it is revoked: dbx has its hash"
    if (EntryKind.SHA256, digest) in _plain(databases.allowed):
        return ""
    if not signed_by:
        return "it is not signed"
    return _judged(signed_by, digest, databases, check)


def _judged(signed_by: Sequence[bytes], digest: bytes, databases: KeyDatabases, check: SignatureCheck) -> str:
    for signature in signed_by:
        if any(check.verifies(signature, digest, certificate) for certificate in _certificates(databases.forbidden)):
            return "it is signed with a revoked certificate, which dbx has"
    trusted = [entry for entry in _certificates(databases.allowed) if not _revoked(entry, databases.forbidden)]
    if any(check.verifies(signature, digest, certificate) for signature in signed_by for certificate in trusted):
        return ""
    return "no certificate of db has signed it, or it was changed after it was signed"


def _certificates(entries: Sequence[SignatureEntry]) -> Iterator[bytes]:
    return (entry.data for entry in entries if entry.kind is EntryKind.X509)


def _plain(entries: Sequence[SignatureEntry]) -> set[tuple[EntryKind | None, bytes]]:
    return {(entry.kind, entry.data) for entry in entries}


def _revoked(certificate: bytes, forbidden: Sequence[SignatureEntry]) -> bool:
    """Whether ``dbx`` has the hash of the certificate's signed part."""
    signed_part = _first_element(certificate)
    return any(
        entry.kind in _HASHES and entry.data[:-_TIME_SIZE] == _HASHES[entry.kind](signed_part).digest()
        for entry in forbidden
    )


def _first_element(der: bytes) -> bytes:
    """The first element within a DER sequence, with its header; b"" for what is none (X.690, 8.1)."""
    outer = _header(der, 0)
    inner = _header(der, outer[0]) if outer is not None else None
    if outer is None or inner is None:
        return b""
    return der[outer[0] : inner[0] + inner[1]]


def _header(der: bytes, start: int) -> tuple[int, int] | None:
    """Start and length of the content of the element at ``start``."""
    if len(der) < start + 2:
        return None
    length = der[start + 1]
    if length < 0x80:
        return start + 2, length
    count = length & 0x7F
    return start + 2 + count, int.from_bytes(der[start + 2 : start + 2 + count], "big")


def _entries(name: VariableName, read: ReadVariable) -> tuple[SignatureEntry, ...]:
    variable = read(name)
    return () if variable is None else parse_signature_lists(name.name, variable.data)


def _flag(variable: Variable | None) -> bool | None:
    return None if variable is None else variable.data[:1] == b"\1"
