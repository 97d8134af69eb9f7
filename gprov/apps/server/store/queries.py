"""Questions to the store, for the API and for tools."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, exists, func, select

from gprov.apps.server.secrets.password_store import rotations
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.event_lines import event_text
from gprov.apps.server.store.records import (
    AccessRecord,
    CredentialRecord,
    DifferenceEntry,
    DocumentEntry,
    EventEntry,
    KeptDocument,
    StateEntry,
    UnitDetail,
    UnitSummary,
)
from gprov.apps.server.store.statements import AnyRow
from gprov.apps.server.store.tables import documents, events, handouts, macs, passwords, sessions, states, units
from gprov.domain.events import ProcessState
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.requests import NamedMac
from gprov.domain.factory.states import Verdict
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.difference import read_differences

_LATEST_FIRST = (units.c.last_seen_ns.desc(), units.c.id.desc())
_DOCUMENT_COLUMNS = [column for column in documents.c if column is not documents.c.content]


class Queries:
    def __init__(self, database: Database) -> None:
        self._database = database

    def units(self, limit: int, offset: int) -> tuple[UnitSummary, ...]:
        """Those with the latest reports first."""
        with self._database.read() as db:
            rows = db.execute(select(units).order_by(*_LATEST_FIRST).limit(limit).offset(offset)).all()
        return tuple(_summary(row) for row in rows)

    def unit(self, serial: str) -> UnitDetail | None:
        with self._database.read() as db:
            row = _of_serial(db, serial)
            if row is None:
                return None
            return UnitDetail(
                summary=_summary(row),
                nics=tuple(NamedMac(each.name, each.mac) for each in _macs(db, row.id, bmc=False)),
                bmc=tuple(each.mac for each in _macs(db, row.id, bmc=True)),
                states=_states(db, row.id),
                documents=_documents(db, row.id),
                differences=_differences(db, row.id),
                credentials=_credentials(db, row),
                access=AccessRecord(
                    began=_number(db, row.provisioner), holder=_number(db, row.holder), concern=row.concern
                ),
            )

    def count_by_state(self) -> dict[str, int]:
        """How many units there are in each state."""
        counted = select(units.c.state, func.count()).group_by(units.c.state)
        with self._database.read() as db:
            return {row[0]: row[1] for row in db.execute(counted)}

    def kept_document(self, serial: str, name: str) -> KeptDocument | None:
        """None: no such unit or document, or it is a QA document, which only its release makes public."""
        this = (units.c.serial == serial, documents.c.name == name, documents.c.status == DocumentStatus.KEPT.value)
        columns = (documents.c.name, documents.c.kind, documents.c.content)
        with self._database.read() as db:
            row = db.execute(select(*columns).join(units, units.c.id == documents.c.unit).where(*this)).first()
        return KeptDocument(row.name, DocumentKind(row.kind), row.content) if row else None

    def sealed_unit(self, serials: Sequence[str], mac: str, now_ns: int) -> str | None:
        """Serial number of the unit that this machine is, if its passwords are sealed: provisioning it again would wipe
        it and then fail. It is identified by one of ``serials``, or else by a MAC that it reported (lower case; "" for
        none). None: not sealed, reopened, or not in the store."""
        with self._database.read() as db:
            row = next((found for serial in serials if (found := _of_serial(db, serial)) is not None), None)
            row = row or (_of_mac(db, mac) if mac else None)
        if row is None or not row.sealed or now_ns <= row.open_until_ns:
            return None
        return str(row.serial)

    def events(self, serial: str, after: int, limit: int) -> tuple[EventEntry, ...] | None:
        """The unit's log from beyond ``after``, oldest first. None: no such unit."""
        with self._database.read() as db:
            unit = _of_serial(db, serial)
            if unit is None:
                return None
            rows = db.execute(
                select(events, sessions.c.number.label("session_number"))
                .outerjoin(sessions, sessions.c.id == events.c.session)
                .where(events.c.unit == unit.id, events.c.seq > after)
                .order_by(events.c.seq)
                .limit(limit)
            ).all()
        return tuple(_event(row) for row in rows)


def _of_serial(db: Connection, serial: str) -> AnyRow | None:
    return db.execute(select(units).where(units.c.serial == serial)).first()


def _of_mac(db: Connection, mac: str) -> AnyRow | None:
    """The one with the latest report, if several reported it."""
    reported = exists().where(macs.c.unit == units.c.id, macs.c.mac == mac, ~macs.c.bmc)
    return db.execute(select(units).where(reported).order_by(*_LATEST_FIRST).limit(1)).first()


def _macs(db: Connection, unit: int, *, bmc: bool) -> Sequence[AnyRow]:
    of_unit = (macs.c.unit == unit, macs.c.bmc.is_(bmc))
    return db.execute(select(macs.c.name, macs.c.mac).where(*of_unit).order_by(macs.c.position)).all()


def _summary(row: AnyRow) -> UnitSummary:
    return UnitSummary(
        serial=row.serial,
        code_name=row.code_name,
        state=ProcessState(row.state),
        state_ns=row.state_ns,
        first_seen_ns=row.first_seen_ns,
        last_seen_ns=row.last_seen_ns,
    )


def _states(db: Connection, unit: int) -> tuple[StateEntry, ...]:
    columns = (states.c.state, states.c.received_ns, sessions.c.number, states.c.verdict)
    joined = select(*columns).join(sessions, sessions.c.id == states.c.session)
    rows = db.execute(joined.where(states.c.unit == unit).order_by(states.c.id))
    return tuple(StateEntry(ProcessState(row.state), row.received_ns, row.number, Verdict(row.verdict)) for row in rows)


def _documents(db: Connection, unit: int) -> tuple[DocumentEntry, ...]:
    rows = db.execute(select(*_DOCUMENT_COLUMNS).where(documents.c.unit == unit).order_by(documents.c.id))
    return tuple(
        DocumentEntry(
            name=row.name,
            kind=DocumentKind(row.kind),
            status=DocumentStatus(row.status),
            received_ns=row.received_ns,
            hold_until_ns=row.hold_until_ns,
            decided_ns=row.decided_ns,
            reason=row.reason,
            file=row.file,
            written=row.written,
        )
        for row in rows
    )


def _differences(db: Connection, unit: int) -> tuple[DifferenceEntry, ...]:
    """Of the document that was received last. The store has checked its content."""
    of_unit = (documents.c.unit == unit, documents.c.kind == DocumentKind.DIFFERENCES.value)
    newest_first = (documents.c.received_ns.desc(), documents.c.id.desc())
    row = db.execute(select(documents.c.content).where(*of_unit).order_by(*newest_first).limit(1)).first()
    found = read_differences(DocumentKind.DIFFERENCES.value, row.content) if row else ()
    return tuple(DifferenceEntry(one.place, one.required, one.detected) for one in found)


def _number(db: Connection, session: int) -> int | None:
    found: int | None = db.execute(select(sessions.c.number).where(sessions.c.id == session)).scalar_one_or_none()
    return found


def _credentials(db: Connection, unit: AnyRow) -> CredentialRecord:
    made = db.execute(select(passwords.c.unit).where(passwords.c.unit == unit.id).limit(1)).first()
    of_unit = handouts.c.unit == unit.id
    count: int = db.execute(select(func.count()).select_from(handouts).where(of_unit)).scalar_one()
    last = db.execute(
        select(handouts.c.time_ns, handouts.c.peer).where(of_unit).order_by(handouts.c.id.desc()).limit(1)
    ).first()
    return CredentialRecord(
        made=made is not None,
        handed_out=count,
        last_ns=last.time_ns if last else None,
        last_peer=last.peer if last else "",
        sealed=unit.sealed,
        rotating=", ".join(kind.value for kind in rotations(db, unit.id)),
    )


def _event(row: AnyRow) -> EventEntry:
    fields: dict[str, Json] = json.loads(row.body)
    return EventEntry(
        seq=row.seq,
        session=row.session_number,
        number=row.number,
        time_ns=row.time_ns,
        received_ns=row.received_ns,
        type=row.type,
        text=event_text(row.type, fields),
        fields=fields,
    )
