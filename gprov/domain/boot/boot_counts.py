"""How often the system on PRIMARY was started since its restore, and which of these starts it found good itself.

Two files in the image's configuration folder, each with one writer, so that neither ever undoes what the other wrote:

``boots_started``    written by init before it hands over: ``12`` starts so far.
``boots_confirmed``  written by the image's own service (``gprov-boot-good``) when it is up: ``12 11``: start 12 was
                     good, as were 11 altogether.

Imported by every normal boot.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

STARTED_FILE = "boots_started"
CONFIRMED_FILE = "boots_confirmed"
SERVICE = "gprov-boot-good.service"
# Where an image says that it reports good boots: the service is wanted.
SERVICE_LINKS = tuple(f"/{folder}/systemd/system/multi-user.target.wants/{SERVICE}" for folder in ("etc", "usr/lib"))
# Starts in a row without a good one from which on people are told.
UNCONFIRMED_WARNING_LIMIT = 3
_DIGITS = 9
_MOST = 10**_DIGITS - 1


@dataclass(frozen=True, slots=True)
class BootCounts:
    """``confirmed_at``: number of the last start that was good, 0 if none was; ``confirmed``: how many were."""

    started: int = 0
    confirmed_at: int = 0
    confirmed: int = 0

    @property
    def unconfirmed(self) -> int:
        """Starts in a row, up to the last one, that were not found good."""
        return max(0, self.started - self.confirmed_at)

    def with_boot_attempt(self) -> BootCounts:
        return BootCounts(min(self.started + 1, _MOST), self.confirmed_at, self.confirmed)


def parse_started(what: str, data: bytes) -> int:
    """Raises BadInput."""
    return _numbers(what, data, 1)[0]


def parse_confirmed(what: str, data: bytes) -> tuple[int, int]:
    """Number of the last good start, and how many were good. Raises BadInput."""
    at, total = _numbers(what, data, 2)
    return at, total


def serialise_started(counts: BootCounts) -> bytes:
    return b"%d\n" % counts.started


def _numbers(what: str, data: bytes, count: int) -> list[int]:
    words = data.split()
    if len(words) != count or not all(word.isdigit() and len(word) <= _DIGITS for word in words):
        wanted = "a number" if count == 1 else f"{count} numbers"
        raise BadInput(what, [Problem("", f"must be {wanted} of at most {_DIGITS} digits, is {data[:40]!r}")])
    return [int(word) for word in words]
