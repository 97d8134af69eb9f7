"""Targets: the file with passwords on RECOVERY, and the removal of passwords from the output of programs."""

from __future__ import annotations

from fuzz.harness import Target, expect
from gprov.domain.mfg.scrubbing import LEAST_ENCODED, StreamScrubber, scrub
from gprov.domain.unit.insecure_storage import parse_insecure_storage


def insecure_storage(data: bytes) -> None:
    """Passwords that were read are those that were written."""
    found = parse_insecure_storage("insecure.storage", data)
    expect("\0".join(one.reveal() for one in (found.bios, found.ipmi, found.os)).encode() == data, "other passwords")


def scrubbing(data: bytes) -> None:
    """Output of a program, in pieces and as a whole, without the password."""
    head, _, output = data.partition(b"\xff")
    password = head.decode("utf-8", "replace")[:64]
    whole = scrub(output, [password])
    scrubber = StreamScrubber([password])
    parts = [scrubber.feed(output[start : start + 1000]) for start in range(0, len(output), 1000)]
    expect(b"".join([*parts, scrubber.finish()]) == whole, "output that is scrubbed otherwise in pieces")
    if "*" not in password and len(password) >= LEAST_ENCODED:
        expect(password.encode() not in whole, "a password that stays")


TARGETS = (
    Target(
        "insecure-storage",
        "insecure.storage",
        insecure_storage,
        lambda: [b"bios-pass\0ipmi\0os-pass"],
        (b"\0", b"\xff"),
    ),
    Target(
        "scrubbing",
        "passwords in the output of programs",
        scrubbing,
        lambda: [b"Zw4k\xffZw4k WnC0aw== 5a:77:34:6b %5aw4k", b"aaaa\xff" + b"YWFhYWFh\n" * 40],
        (b"%41", b"\\u0041", b"\\", b"0x", b"==", b"\n"),
    ),
)
