"""Secure Boot of the simulated machine. Its signatures are hashes over digest and certificate: any program could
make them, but they are as specific as real ones."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.boot.secure_boot import (
    ALLOWED,
    FORBIDDEN,
    SECURE_BOOT,
    SETUP_MODE,
    SecureBootState,
    read_databases,
    refusal,
    secure_boot_state,
)
from gprov.domain.formats.efi.signature_list import EntryKind, SignatureEntry, serialise_signature_lists
from gprov.domain.formats.efi.variables import Variable
from gprov.domain.formats.pe import authenticode_digest, parse_pe
from gprov.ports.code_signatures import CodeSignatures

_OWNER = "00000000-0000-0000-0000-000000000001"
_STATUS, _DATABASE = 6, 0x27  # attributes of the variables


class FakeCodeSignatures(CodeSignatures):
    @override
    def verifies(self, signature: bytes, digest: bytes, certificate: bytes) -> bool:
        return signature == _signature(digest, certificate)


def sign_program(content: bytes, certificate: bytes) -> bytes:
    """Append a signature to a program of UEFI. Raises BadInput."""
    padded = content + bytes(-len(content) % 8)
    image = parse_pe(padded)
    signature = _signature(authenticode_digest(image, padded), certificate)
    table = struct.pack("<IHH", 8 + len(signature), 0x0200, 0x0002) + signature
    signed = bytearray(padded + table)
    struct.pack_into("<II", signed, image.directory, len(padded), len(table))
    return bytes(signed)


def enrol(machine: SimulatedMachine, certificate: bytes, forbidden: Sequence[bytes] = ()) -> None:
    """Switch Secure Boot on. ``certificate``: the only entry of db; ``forbidden``: digests of programs for dbx."""
    allowed = serialise_signature_lists([SignatureEntry(EntryKind.X509, _OWNER, certificate)])
    refused = [SignatureEntry(EntryKind.SHA256, _OWNER, digest) for digest in forbidden]
    machine.nvram[SECURE_BOOT] = Variable(_STATUS, b"\1")
    machine.nvram[SETUP_MODE] = Variable(_STATUS, b"\0")
    machine.nvram[ALLOWED] = Variable(_DATABASE, allowed)
    machine.nvram[FORBIDDEN] = Variable(_DATABASE, serialise_signature_lists(refused))


def starts(machine: SimulatedMachine, content: bytes) -> bool:
    """Whether the firmware starts a program."""
    if secure_boot_state(machine.nvram.get) is not SecureBootState.ON:
        return True
    return not refusal(content, read_databases(machine.nvram.get), FakeCodeSignatures())


def _signature(digest: bytes, certificate: bytes) -> bytes:
    return hashlib.sha256(b"simulated signature" + certificate + digest).digest()
