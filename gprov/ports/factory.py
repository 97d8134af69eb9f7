"""Communication of a unit with the factory server: telemetry, time, documents and credentials.

There are separate ports, so that different systems can provide them. All methods raise NetworkFault if the server is
unreachable or refuses, after a limited number of attempts. ``serial``: the unit's serial number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gprov.domain.erase.signed import SignedCertificate
from gprov.domain.events import Event, ProcessState
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.unit.credentials import Credentials, Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """``token``: of the kernel arguments. ``key``: SHA-256 (hex) of the secret that this provisioning leaves on
    RECOVERY. ``secret``: the one that an earlier one left there; ``lost``: there is none."""

    token: Secret | None
    key: str
    secret: Secret | None = None
    lost: bool = False


class SessionAccess(Protocol):
    """What makes the reports of this run count."""

    def start(self, serial: str, start: Start) -> None:
        """Begin a provisioning. Raises FactoryRefused (``gprov.domain.factory.replies``), with
        ``Refusal.PROOF_NEEDED`` if the secret of an earlier provisioning is needed; NetworkFault."""

    def prove(self, serial: str, secret: Secret) -> None:
        """Have the reports of this later run count: the secret is sent with the first of them. Without it, or if it is
        not that of the unit, they are only recorded."""


class Telemetry(Protocol):
    def events(self, serial: str, events: Sequence[Event]) -> None:
        """Deliver events, oldest first. State changes among them count as state reports."""

    def state(self, serial: str, state: ProcessState) -> None:
        """Report the unit's process state immediately, without the log."""

    def code_name(self, serial: str, code_name: str) -> None:
        """Report the code name of the unit's platform."""

    def macs(self, serial: str, nics: Mapping[str, str], bmc: Sequence[str]) -> None:
        """Report MAC addresses. ``nics``: interface name → MAC, in order; ``bmc``: of the management controller."""


class TimeSource(Protocol):
    def time_ns(self) -> int:
        """UTC, nanoseconds since 1970."""


class RunHistory(Protocol):
    def unfinished_runs(self, serial: str) -> int:
        """How many provisionings of this unit in a row, up to now, began and ended neither well nor in a failure: the
        unit restarted, or lost its power. The present one is counted once its report has arrived. 0 if the server does
        not know the unit."""


class DocumentStore(Protocol):
    def document(self, serial: str, name: str, content: str, kind: DocumentKind = DocumentKind.QA) -> None:
        """Deliver a document. The server holds a QA document until the unit's first restore succeeded, and keeps any
        other one. A new one replaces the one of the same name."""


class CredentialStore(Protocol):
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        """Passwords of this unit, equal at each call. ``endpoint``: URL of their server, "" for the store's own."""


class ErasureRegistry(Protocol):
    def register(self, report: bytes) -> SignedCertificate:
        """Deliver an erase report (gprov.domain.erase.report_text.report_bytes) and return its certificate, durably
        stored at the registry. The same bytes give the same certificate again. The report must state the serial number
        of the machine. Raises BadInput (not a valid report), also NetworkFault (unreachable, refused)."""
