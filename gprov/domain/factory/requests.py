"""What a unit posts.

Each message names the unit's serial number and the session, which is one run of one client. The session makes retries
harmless (an event is known by session and number). It is also what distinguishes the unit from any other sender with
the same serial number, so the server never gives it out again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, TypeVar

from typing_extensions import Doc

from gprov.domain.events import Event, ProcessState
from gprov.domain.factory import fields, messages
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.events import EventObject
from gprov.domain.factory.messages import INLINE, AtMost
from gprov.domain.factory.syntax import MAX_DOCUMENT, MAX_EVENTS, MAX_NICS, MAX_REPORT
from gprov.domain.unit.credentials import Secret

WIRE_VERSION = 1
API = f"/api/v{WIRE_VERSION}"
# Where below API the server's time is.
TIME = "time"
# Where below API all about one unit is, for people and tools: "?serial=…".
UNIT = "unit"


@dataclass(frozen=True, slots=True)
class Sender:
    """Which unit, in which session (not shown: with it, anyone can ask for the unit's passwords)."""

    serial: Annotated[str, fields.SERIAL, Doc("Printable ASCII.")]
    session: Annotated[
        str, fields.SESSION, Doc("Random name of this run of the client. Keep it secret: see credentials.")
    ] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What all of them have. ``what``: how errors name the message; ``path``: where below ``API`` it is posted."""

    what: ClassVar[str]
    path: ClassVar[str]
    sender: Annotated[Sender, INLINE]


R = TypeVar("R", bound=Request)


@dataclass(frozen=True, slots=True)
class ProvisioningStart(Request):
    """The first message of a provisioning: without it, the session's reports change nothing of the unit."""

    what = "start of a provisioning"
    path = "start"
    key: Annotated[str, fields.DIGEST, Doc("SHA-256 of the unit's secret that this provisioning leaves on RECOVERY")]
    token: Annotated[Secret | None, Doc("One-time token of the kernel arguments")] = None
    secret: Annotated[Secret | None, Doc("The unit's secret from an earlier provisioning, as RECOVERY has it")] = None
    lost: Annotated[bool, Doc("The unit has looked for that secret, and RECOVERY has none")] = False


@dataclass(frozen=True, slots=True)
class SessionProof(Request):
    """The first message of a later session: without it, its reports are recorded and change nothing of the unit."""

    what = "proof of a unit"
    path = "proof"
    secret: Annotated[Secret, Doc("The unit's secret, as RECOVERY has it")]


@dataclass(frozen=True, slots=True)
class RunsRequest(Request):
    what = "question about earlier runs"
    path = "runs"


@dataclass(frozen=True, slots=True)
class EventBatch(Request):
    what = "events"
    path = "events"
    events: Annotated[tuple[Annotated[Event, EventObject()], ...], AtMost(MAX_EVENTS)]


@dataclass(frozen=True, slots=True)
class StateReport(Request):
    what = "state"
    path = "state"
    state: ProcessState


@dataclass(frozen=True, slots=True)
class CodeNameReport(Request):
    what = "code name"
    path = "code-name"
    code_name: Annotated[str, fields.NAME]


@dataclass(frozen=True, slots=True)
class NamedMac:
    name: Annotated[str, fields.NAME, Doc("Interface name")]
    mac: Annotated[str, fields.MAC, Doc("Lower case, with colons; other spellings are converted")]


@dataclass(frozen=True, slots=True)
class MacReport(Request):
    what = "MACs"
    path = "macs"
    nics: Annotated[tuple[NamedMac, ...], AtMost(MAX_NICS, unique="name"), Doc("In order")] = ()
    bmc: Annotated[
        tuple[Annotated[str, fields.MAC], ...], AtMost(MAX_NICS), Doc("MACs of the management controller")
    ] = ()


@dataclass(frozen=True, slots=True)
class Document(Request):
    what = "document"
    path = "document"
    name: Annotated[str, fields.NAME]
    content: Annotated[str, fields.WholeText(MAX_DOCUMENT)] = field(repr=False)
    kind: Annotated[DocumentKind, Doc("All but qa are kept for people to read, and not released")] = DocumentKind.QA


@dataclass(frozen=True, slots=True)
class CredentialRequest(Request):
    what = "credential request"
    path = "credentials"


@dataclass(frozen=True, slots=True)
class ErasureRegistration(Request):
    what = "erasure registration"
    path = "erasure"
    report: Annotated[
        str, fields.WholeText(MAX_REPORT), Doc("Content of an erase report file: an ErasureReport, exactly as written")
    ] = field(repr=False)


REQUESTS: tuple[type[Request], ...] = (
    ProvisioningStart,
    SessionProof,
    RunsRequest,
    EventBatch,
    StateReport,
    CodeNameReport,
    MacReport,
    Document,
    CredentialRequest,
    ErasureRegistration,
)


def decode(request: type[R], data: bytes) -> R:
    """Raises BadInput with every problem."""
    return messages.decode(request.what, request, data)
