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
    RELEASED = "released"
    DISCARDED = "discarded"
    KEPT = "kept"  # no QA document: neither held nor released


@dataclass(frozen=True, slots=True)
class Decision:
    status: DocumentStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HeldDocument:
    """``until_ns``: UTC; ``same_session``: the session that now reports also delivered the document."""

    until_ns: int
    same_session: bool = False


STILL_HELD = Decision(DocumentStatus.HELD)
EXPIRED = "the first restore did not succeed in time"
SUPERSEDED = "replaced by a newer document of the same name"


def decide(document: HeldDocument, now_ns: int, report: ProcessState | None, provisioned: bool) -> Decision:
    """Decide on a held document at ``now_ns``.

    ``report``: the state that was just applied to its unit; None if only time has passed. ``provisioned``: the unit's
    last provisioning succeeded.
    """
    if now_ns > document.until_ns:
        return Decision(DocumentStatus.DISCARDED, EXPIRED)
    if report is ProcessState.MFG_FAILED:
        return Decision(DocumentStatus.DISCARDED, "the provisioning failed")
    if report is ProcessState.MFG_STARTED and not document.same_session:
        return Decision(DocumentStatus.DISCARDED, "the unit was provisioned again")
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
