"""When a QA document is released, when it is discarded, and how its file is named.

A document certifies that a unit left the factory in good order. The unit delivers it before its first restore, which is
part of that, so the server holds it until the restore succeeded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

from gprov.domain.events import ProcessState

_LONGEST = 200  # bytes of a file name, of the 255 that file systems allow


class DocumentStatus(Enum):
    """The values are stored and shown."""

    HELD = "held"
    WAITING = "waiting"  # the restore succeeded; a person has to look at the unit first
    RELEASED = "released"
    DISCARDED = "discarded"
    KEPT = "kept"  # no QA document: neither held nor released


@dataclass(frozen=True, slots=True)
class Decision:
    status: DocumentStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HeldDocument:
    """``until_ns``: UTC; ``same_session``: the session that now reports also delivered the document; ``waiting``: for a
    person, no longer for the restore."""

    until_ns: int
    same_session: bool = False
    waiting: bool = False


STILL_HELD = Decision(DocumentStatus.HELD)
EXPIRED = "the first restore did not succeed in time"
PROVISIONED_AGAIN = "the unit was provisioned again"
SUPERSEDED = "replaced by a newer document of the same name"


def decide(
    document: HeldDocument, now_ns: int, report: ProcessState | None, provisioned: bool, concern: str = ""
) -> Decision:
    """Decide on a held or waiting document at ``now_ns``; ``STILL_HELD``: it stays what it is.

    ``report``: the state that was just applied to its unit; None if only time has passed. ``provisioned``: the unit's
    last provisioning succeeded. ``concern``: why a person has to look at the unit, "" if there is no reason.
    """
    provisioned_again = report is ProcessState.MFG_STARTED and not document.same_session
    if document.waiting:
        return Decision(DocumentStatus.DISCARDED, PROVISIONED_AGAIN) if provisioned_again else STILL_HELD
    if now_ns > document.until_ns:
        return Decision(DocumentStatus.DISCARDED, EXPIRED)
    if report is ProcessState.MFG_FAILED:
        return Decision(DocumentStatus.DISCARDED, "the provisioning failed")
    if provisioned_again:
        return Decision(DocumentStatus.DISCARDED, PROVISIONED_AGAIN)
    if report is ProcessState.FR_SUCCEEDED and provisioned and concern:
        return Decision(DocumentStatus.WAITING, f"a person has to look at the unit: {concern}")
    if report is ProcessState.FR_SUCCEEDED and provisioned:
        return Decision(DocumentStatus.RELEASED, "the first restore succeeded")
    return STILL_HELD


def file_name(serial: str, name: str) -> str:
    """``SERIAL~NAME`` with everything but letters, digits, ``-``, ``.`` and ``_`` escaped like in a URL.

    One component, never hidden, and different for different documents: ``~`` is escaped in both parts. Names that
    would get too long end in a hash instead (and have a second ``~``).
    """
    full = f"{_escape(serial)}~{_escape(name)}"
    if full.startswith("."):
        full = "%2E" + full[1:]
    if len(full) <= _LONGEST:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:32]
    return f"{full[: _LONGEST - 33]}~{digest}"


def _escape(text: str) -> str:
    return quote(text, safe="", encoding="utf-8", errors="replace").replace("~", "%7E")
