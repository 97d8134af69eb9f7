"""Counts of boot attempts and confirmed boots of the system on PRIMARY since its restore.

Two files in the image's configuration folder. Each has a single writer, so no update can be lost:

``boots_started``    written by init before switch root: ``12`` boot attempts so far.
``boots_confirmed``  written by the image's service ``gprov-boot-good`` when the system is up: ``12 11``: attempt 12
                     was confirmed, 11 attempts in all were.

Imported by every normal boot.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

STARTED_FILE = "boots_started"
CONFIRMED_FILE = "boots_confirmed"
# A request of the system for its next start (``gprov.domain.boot.boot_request``), in the same folder.
REQUEST_FILE = "boot_request"
# What a system has written for its own next starts. An image may hold those of the system that it was made from.
STALE_FILES = (STARTED_FILE, CONFIRMED_FILE, REQUEST_FILE)
# For the system: the kernel that started it acts on requests. Their kinds, one a line; ``image``: a restore may name
# its image.
REQUESTS_ACCEPTED = "/run/gprov-requests"
REQUEST_KINDS = b"restore\nerase\nimage\n"
SERVICE = "gprov-boot-good.service"
# Links that enable the service. An image that has one of them confirms its boots.
SERVICE_LINKS = tuple(f"/{folder}/systemd/system/multi-user.target.wants/{SERVICE}" for folder in ("etc", "usr/lib"))
# A warning is shown from this number of consecutive unconfirmed boots.
UNCONFIRMED_WARNING_LIMIT = 3
_DIGITS = 9
_MAX = 10**_DIGITS - 1


@dataclass(frozen=True, slots=True)
class BootCounts:
    """``started``: boot attempts; ``confirmed_at``: number of the last confirmed one, 0 if none was; ``confirmed``:
    number of confirmed boots."""

    started: int = 0
    confirmed_at: int = 0
    confirmed: int = 0

    @property
    def unconfirmed(self) -> int:
        """Boot attempts since the last confirmed boot."""
        return max(0, self.started - self.confirmed_at)

    def with_boot_attempt(self) -> BootCounts:
        return BootCounts(min(self.started + 1, _MAX), self.confirmed_at, self.confirmed)


def parse_started(source: str, data: bytes) -> int:
    """Number of boot attempts. ``source`` names the file. Raises BadInput."""
    return _numbers(source, data, 1)[0]


def parse_confirmed(source: str, data: bytes) -> tuple[int, int]:
    """Number of the last confirmed boot attempt, and number of confirmed ones. Raises BadInput."""
    confirmed_at, confirmed = _numbers(source, data, 2)
    return confirmed_at, confirmed


def serialise_started(counts: BootCounts) -> bytes:
    return b"%d\n" % counts.started


def _numbers(source: str, data: bytes, count: int) -> list[int]:
    words = data.split()
    if len(words) != count or not all(word.isdigit() and len(word) <= _DIGITS for word in words):
        expected = "a number" if count == 1 else f"{count} numbers"
        raise BadInput(source, [Problem("", f"must be {expected} of at most {_DIGITS} digits, is {data[:40]!r}")])
    return [int(word) for word in words]
