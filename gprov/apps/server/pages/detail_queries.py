"""What the page of a unit shows besides its states and its log: documents and hand-outs of passwords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from gprov.apps.server.store.database import Database
from gprov.apps.server.store.tables import documents, handouts, sessions
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.documents import DocumentStatus

_COLUMNS = [column for column in documents.c if column is not documents.c.content]
# Hand-outs on a page; their count is stated.
HANDOUTS = 50
# Contents that the server gives out: a QA document is valid only if it was released.
READABLE = frozenset({DocumentStatus.KEPT, DocumentStatus.RELEASED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """``number``: of its row. ``decided_ns``: when it was released or discarded, None: not yet."""

    number: int
    name: str
    kind: DocumentKind
    status: DocumentStatus
    received_ns: int
    hold_until_ns: int
    decided_ns: int | None
    reason: str
    file: str

    @property
    def readable(self) -> bool:
        return self.status in READABLE


@dataclass(frozen=True, slots=True)
class Handout:
    """``session``: its number."""

    time_ns: int
    peer: str
    session: int


class DetailQueries:
    """``unit``: its row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def documents(self, unit: int) -> Sequence[DocumentLine]:
        """Newest first."""
        with self._database.read() as db:
            rows = db.execute(select(*_COLUMNS).where(documents.c.unit == unit).order_by(documents.c.id.desc()))
            return [
                DocumentLine(
                    number=row.id,
                    name=row.name,
                    kind=DocumentKind(row.kind),
                    status=DocumentStatus(row.status),
                    received_ns=row.received_ns,
                    hold_until_ns=row.hold_until_ns,
                    decided_ns=row.decided_ns,
                    reason=row.reason,
                    file=row.file,
                )
                for row in rows
            ]

    def content(self, unit: int, number: int) -> str | None:
        """None: the unit has no such document, or it is a QA document that was not released."""
        this = (documents.c.unit == unit, documents.c.id == number)
        readable = documents.c.status.in_(sorted(status.value for status in READABLE))
        with self._database.read() as db:
            found: str | None = db.execute(select(documents.c.content).where(*this, readable)).scalar_one_or_none()
        return found

    def handouts(self, unit: int) -> Sequence[Handout]:
        """The last ones, newest first."""
        columns = select(handouts.c.time_ns, handouts.c.peer, sessions.c.number)
        joined = columns.join(sessions, sessions.c.id == handouts.c.session).where(handouts.c.unit == unit)
        with self._database.read() as db:
            rows = db.execute(joined.order_by(handouts.c.id.desc()).limit(HANDOUTS))
            return [Handout(row.time_ns, row.peer, row.number) for row in rows]
