"""State of Secure Boot, its databases, programs of UEFI, and which of them the firmware starts."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virt.firmware.efi import guids, siglist

from gprov.adapters.fake.archive.artifacts import build_kernel
from gprov.adapters.fake.firmware.secure_boot import FakeCodeSignatures, sign_program
from gprov.domain.boot.secure_boot import (
    ALLOWED,
    FORBIDDEN,
    SECURE_BOOT,
    SETUP_MODE,
    KeyDatabases,
    SecureBootState,
    read_databases,
    refusal,
    secure_boot_state,
)
from gprov.domain.errors import BadInput
from gprov.domain.formats.bzimage import check_length, parse_bzimage, parse_whole
from gprov.domain.formats.efi.signature_list import (
    EntryKind,
    SignatureEntry,
    parse_signature_lists,
    serialise_signature_lists,
)
from gprov.domain.formats.efi.variables import Variable
from gprov.domain.formats.pe import authenticode_digest, parse_pe, signatures

OWNER = "11111111-2222-3333-4444-555555555555"
# A certificate as far as its hash is concerned: SEQUENCE { TBSCertificate, … }.
SIGNED_PART = b"\x30\x03\x02\x01\x07"
CERTIFICATE = b"\x30\x08" + SIGNED_PART + b"\x03\x01\x00"
KERNEL = build_kernel(7)
SIGNED = sign_program(KERNEL, CERTIFICATE)
DIGEST = authenticode_digest(parse_pe(SIGNED), SIGNED)
NO_TIME = bytes(16)


def entry(kind: EntryKind, data: bytes) -> SignatureEntry:
    return SignatureEntry(kind, OWNER, data)


OWNERS = entry(EntryKind.X509, CERTIFICATE)


def judged(
    content: bytes, allowed: Sequence[SignatureEntry] = (OWNERS,), forbidden: Sequence[SignatureEntry] = ()
) -> str:
    return refusal(content, KeyDatabases(tuple(allowed), tuple(forbidden)), FakeCodeSignatures())


@pytest.mark.parametrize(
    ("on", "setup", "state"),
    [
        (b"\1", b"\0", SecureBootState.ON),
        (b"\0", b"\0", SecureBootState.OFF),
        (b"\0", b"\1", SecureBootState.SETUP),
        (b"\0", None, SecureBootState.OFF),
        (None, b"\1", SecureBootState.ABSENT),
    ],
)
def test_states(on: bytes | None, setup: bytes | None, state: SecureBootState) -> None:
    found = {name: Variable(6, data) for name, data in ((SECURE_BOOT, on), (SETUP_MODE, setup)) if data is not None}
    assert secure_boot_state(found.get) is state


@pytest.mark.parametrize(
    ("allowed", "forbidden", "reason"),
    [
        ([OWNERS], [], ""),
        ([entry(EntryKind.SHA256, DIGEST)], [], ""),
        ([], [], "no certificate of db"),
        ([entry(EntryKind.X509, b"another")], [], "no certificate of db"),
        ([entry(EntryKind.X509, b"another"), OWNERS], [], ""),
        ([OWNERS], [entry(EntryKind.SHA256, DIGEST)], "revoked: dbx has its hash"),
        ([OWNERS, entry(EntryKind.SHA256, DIGEST)], [entry(EntryKind.SHA256, DIGEST)], "revoked: dbx has its hash"),
        ([OWNERS], [entry(EntryKind.SHA256, bytes(32))], ""),
        ([OWNERS], [OWNERS], "revoked certificate"),
        ([OWNERS], [entry(EntryKind.X509_SHA256, hashlib.sha256(SIGNED_PART).digest() + NO_TIME)], "no certificate"),
        ([OWNERS], [entry(EntryKind.X509_SHA384, hashlib.sha384(SIGNED_PART).digest() + NO_TIME)], "no certificate"),
        ([OWNERS], [entry(EntryKind.X509_SHA512, hashlib.sha512(SIGNED_PART).digest() + NO_TIME)], "no certificate"),
        ([OWNERS], [entry(EntryKind.X509_SHA256, hashlib.sha256(CERTIFICATE).digest() + NO_TIME)], ""),
    ],
)
def test_who_may_sign(allowed: list[SignatureEntry], forbidden: list[SignatureEntry], reason: str) -> None:
    assert reason in judged(SIGNED, allowed, forbidden)
    assert bool(judged(SIGNED, allowed, forbidden)) == bool(reason)


def test_an_unsigned_kernel_is_refused_unless_its_hash_is_allowed() -> None:
    digest = authenticode_digest(parse_pe(KERNEL), KERNEL)
    assert judged(KERNEL) == "it is not signed"
    assert judged(KERNEL, [entry(EntryKind.SHA256, digest)]) == ""
    assert digest == DIGEST


@pytest.mark.parametrize("content", [b"", b"MZ", b"#!/bin/sh\n" * 100])
def test_what_is_no_program_is_refused(content: bytes) -> None:
    assert judged(content) != ""


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed_but_for_the_checksum(place: int, mask: int) -> None:
    changed = SIGNED[:place] + bytes([SIGNED[place] ^ mask]) + SIGNED[place + 1 :]
    image = parse_pe(SIGNED)
    # The revision in the header of a signature is of no meaning to any reader.
    free = {*range(image.checksum, image.checksum + 4), image.signatures + 4, image.signatures + 5}
    assert (judged(changed) == "") == (place in free)


@given(st.integers(0, len(SIGNED) - 1))
def test_a_file_that_is_cut_short_is_refused(length: int) -> None:
    assert judged(SIGNED[:length]) != ""


@given(st.binary(min_size=1, max_size=64))
def test_what_is_appended_to_a_signed_file_is_noticed(more: bytes) -> None:
    assert judged(SIGNED + more) != ""


@given(st.binary(max_size=600).map(lambda data: b"MZ" + data))
def test_arbitrary_programs_raise_nothing_else(content: bytes) -> None:
    try:
        image = parse_pe(content)
        signatures(image, content)
    except BadInput:
        return


@pytest.mark.parametrize(("start", "length"), [(0, -8), (0, 8), (8, 0), (0, -40), (-8, 8), (-4, 4)])
def test_signatures_that_do_not_end_the_file_are_refused(start: int, length: int) -> None:
    moved = bytearray(SIGNED)
    image = parse_pe(SIGNED)
    place = (image.signatures + start, image.size - image.signatures + length)
    struct.pack_into("<II", moved, image.directory, *place)
    with pytest.raises(BadInput, match=r"do not end the file|its sections end at"):
        parse_pe(bytes(moved))


def test_a_gap_between_sections_is_refused() -> None:
    """Firmware and we would hash it in different orders."""
    moved = bytearray(KERNEL)
    place = KERNEL.index(b".text") + 20
    struct.pack_into("<I", moved, place, 1024)
    with pytest.raises(BadInput, match="a section begins here"):
        parse_pe(bytes(moved))


def test_a_signature_changes_neither_number_nor_length_of_a_kernel() -> None:
    assert parse_whole(SIGNED) == parse_whole(KERNEL)
    assert parse_bzimage(SIGNED) == parse_bzimage(KERNEL)
    check_length(SIGNED, len(KERNEL))  # as after a power cut that has lost nothing but the signature
    with pytest.raises(BadInput, match="is cut short"):
        check_length(SIGNED, len(KERNEL) - 1)


entries = st.lists(
    st.builds(SignatureEntry, st.sampled_from(EntryKind), st.just(OWNER), st.binary(min_size=1, max_size=40)),
    max_size=4,
)


@given(entries)
def test_databases_survive_a_round_trip(wanted: list[SignatureEntry]) -> None:
    stored = {ALLOWED: Variable(7, serialise_signature_lists(wanted)), FORBIDDEN: Variable(7, b"")}
    assert read_databases(stored.get).allowed == tuple(wanted)


@given(st.binary(max_size=120))
def test_arbitrary_databases_raise_nothing_else(data: bytes) -> None:
    try:
        parse_signature_lists("db", data)
    except BadInput:
        return


def test_another_reader_finds_the_same_hashes() -> None:
    data = serialise_signature_lists([entry(EntryKind.SHA256, bytes([number] * 32)) for number in (1, 2)])
    found = siglist.EfiSigDB(data)
    assert [str(each.guid) for each in found] == [guids.EfiCertSha256] * 2
