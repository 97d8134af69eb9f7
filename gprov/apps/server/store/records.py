"""What is read back from the store, each record with its format in the API. Neither passwords nor sessions' names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from typing_extensions import Doc

from gprov.domain.events import ProcessState
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.requests import NamedMac
from gprov.domain.factory.states import Verdict
from gprov.domain.formats.json.value import Json

_UTC = Doc("UTC, nanoseconds since 1970, by the server's clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSummary:
    serial: str
    code_name: Annotated[str, Doc("Empty: not reported")]
    state: ProcessState
    state_ns: Annotated[int, Doc("When it was reported: UTC, nanoseconds since 1970, by the server's clock")]
    first_seen_ns: Annotated[int, _UTC]
    last_seen_ns: Annotated[int, _UTC]


@dataclass(frozen=True, slots=True)
class UnitList:
    units: Annotated[tuple[UnitSummary, ...], Doc("Those with the latest reports first")]


@dataclass(frozen=True, slots=True)
class StateEntry:
    state: ProcessState
    received_ns: Annotated[int, _UTC]
    session: Annotated[int, Doc("Sessions of the unit are numbered from 1")]
    verdict: Annotated[Verdict, Doc("contradicted: success after failure in one session, not applied")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEntry:
    name: str
    kind: DocumentKind
    status: DocumentStatus
    received_ns: Annotated[int, _UTC]
    hold_until_ns: Annotated[int, Doc("UTC, nanoseconds since 1970, by the server's clock; 0: it is not held")]
    decided_ns: Annotated[int | None, Doc("When it was released or discarded")]
    reason: str
    file: Annotated[str, Doc("Its name in the documents folder, once written; empty: it is not released")]
    written: bool


@dataclass(frozen=True, slots=True)
class KeptDocument:
    name: str
    kind: DocumentKind
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRecord:
    made: bool
    handed_out: Annotated[int, Doc("How often")]
    last_ns: Annotated[int | None, Doc("When last; null: never")]
    last_peer: Annotated[str, Doc("To which address last")]
    sealed: Annotated[bool, Doc("A provisioning succeeded: no passwords unless reopened")]
    rotating: Annotated[str, Doc("Which passwords the next provisioning gets new: of os, bios, ipmi; empty: none")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRecord:
    began: Annotated[int | None, Doc("Session that may provision the unit, by number; null: none")]
    holder: Annotated[int | None, Doc("Session that got the passwords last, since the unit was last reopened")]
    concern: Annotated[str, Doc("Why a person has to look at the unit; empty: no reason")]


@dataclass(frozen=True, slots=True)
class DifferenceEntry:
    place: Annotated[str, Doc("Path in the entry of ValidationData")]
    required: str
    detected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDetail:
    summary: UnitSummary
    nics: tuple[NamedMac, ...]
    bmc: tuple[str, ...]
    states: Annotated[tuple[StateEntry, ...], Doc("Oldest first")]
    documents: Annotated[tuple[DocumentEntry, ...], Doc("Oldest first")]
    differences: Annotated[
        tuple[DifferenceEntry, ...], Doc("Hardware that was not as specified, from the document of that kind")
    ]
    credentials: CredentialRecord
    access: AccessRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEntry:
    seq: Annotated[int, Doc("Place in the log of the unit")]
    session: Annotated[int | None, Doc("Sessions of the unit are numbered from 1; null: a note of the server")]
    number: Annotated[int | None, Doc("Order within the session; null: a note of the server")]
    time_ns: Annotated[int, Doc("UTC, nanoseconds since 1970, by the unit's clock")]
    received_ns: Annotated[int, _UTC]
    type: Annotated[str, Doc("As posted, or SERVER for notes of the server")]
    text: Annotated[str, Doc("One line for a person")]
    fields: Annotated[Mapping[str, Json], Doc("What the type adds, as posted")]


@dataclass(frozen=True, slots=True)
class EventPage:
    events: Annotated[tuple[EventEntry, ...], Doc("Oldest first")]
    next: Annotated[int | None, Doc("Ask with after=next for more; null: these are the last ones")]
