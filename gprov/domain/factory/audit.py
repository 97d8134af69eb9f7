"""The audit trail of passwords: what was done with them, by whom and why, in a chain of hashes.

The digest of an entry is the SHA-256 of the digest of the entry before (32 bytes; zeros before the first one) and of
the entry as JSON. So the digest of the last entry stands for all of them, in their order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import Problem


class AuditAction(Enum):
    """The values are stored."""

    MADE = "made"
    HANDED_OUT = "handed-out"
    REFUSED = "refused"
    REVEALED = "revealed"
    REOPENED = "reopened"
    INVITED = "token-issued"
    LOOKED_AT = "looked-at"  # a person looked at what was not usual
    DOCUMENT_RELEASED = "document-released"
    DOCUMENT_REFUSED = "document-refused"
    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    ACCOUNT_CHANGED = "account-changed"
    ROTATION = "rotation"  # the next provisioning gets fresh ones
    ENCRYPTED = "encrypted"  # a new store got its key
    KEY_REPLACED = "key-replaced"
    KEY_GIVEN_UP = "key-given-up"


@dataclass(frozen=True, slots=True)
class Actor:
    """``who``: a user of the server's host, or the address of a unit. ``reason``: as stated by a person."""

    who: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """``number``: from 1. ``time_ns``: UTC, by the server's clock. ``serial``: "" if it concerns the whole store."""

    number: int
    time_ns: int
    action: AuditAction
    serial: str
    actor: Actor
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A state of the trail: number and digest of its last entry."""

    number: int
    digest: bytes


EMPTY = Mark(0, bytes(32))


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it is stored, whatever became of it. ``members``: its fields in the order of ``members_of``."""

    number: int
    members: Sequence[object]
    digest: bytes


def members_of(entry: AuditEntry) -> tuple[int | str, ...]:
    """What the digest covers, in the order of the store's columns."""
    actor = entry.actor
    return (
        entry.number,
        entry.time_ns,
        entry.action.value,
        entry.serial,
        actor.who,
        actor.reason,
        entry.detail,
    )


def digest_of(members: Sequence[object], before: bytes) -> bytes:
    """``before``: digest of the entry before."""
    return hashlib.sha256(before + json.dumps(list(members), default=repr).encode()).digest()


def chain_problems(links: Iterable[Link], last: Mark, noted: Mark | None) -> Iterator[Problem]:
    """What was changed or removed. ``links``: by number; ``last``: the state that the store vouches for; ``noted``: a
    state that was noted earlier elsewhere."""
    at = EMPTY
    seen = noted is None or noted == EMPTY
    for link in links:
        if link.number != at.number + 1:
            yield Problem(_entries(at.number + 1, link.number - 1), "missing")
        elif digest_of(link.members, at.digest) != link.digest:
            yield Problem(f"entry {link.number}", "was changed")
        at = Mark(link.number, link.digest)
        if noted is not None and noted.number == at.number:
            seen = True
            if noted.digest != at.digest:
                yield Problem(f"entry {at.number}", "is not the one with the digest that was noted")
    if at.number < last.number:
        yield Problem(_entries(at.number + 1, last.number), "missing")
    elif at != last:
        yield Problem("", f"the store vouches for {last.number} entries, and these are others")
    if noted is not None and not seen:
        yield Problem(_entries(last.number + 1, noted.number), "missing: they were there when the digest was noted")


def _entries(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first} to {last}"


def parse_mark(text: str) -> Mark | None:
    """NUMBER:DIGEST, as ``mark_text`` has it; None if it is nothing of the kind."""
    number, _, digits = text.partition(":")
    try:
        digest = bytes.fromhex(digits)
        return Mark(int(number), digest) if len(digest) == len(EMPTY.digest) and number.isdecimal() else None
    except ValueError:
        return None


def mark_text(mark: Mark) -> str:
    return f"{mark.number}:{mark.digest.hex()}"


class RefusalBudget:
    """Limits how many refusals are recorded, since anyone in the network can cause them. ``most`` in ``window_ns``."""

    def __init__(self, most: int, window_ns: int) -> None:
        self._most = most
        self._window_ns = window_ns
        self._began_ns = 0
        self._count = 0
        self._skipped = 0

    def take(self, now_ns: int) -> int | None:
        """None: do not record this one. Else how many were not recorded since the last one that was."""
        if not 0 <= now_ns - self._began_ns < self._window_ns:
            self._began_ns, self._count = now_ns, 0
        if self._count >= self._most:
            self._skipped += 1
            return None
        self._count += 1
        skipped, self._skipped = self._skipped, 0
        return skipped
