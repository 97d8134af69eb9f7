"""Storing documents that units deliver: QA documents are held, all others are kept for people to read."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from gprov.apps.server.store.rows import Origin, note
from gprov.apps.server.store.state_reports import supersede
from gprov.apps.server.store.tables import documents
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.factory.documents import DocumentStatus, file_name
from gprov.domain.factory.requests import Document

# Documents of one unit that may be on hold at once, and that are kept.
MAX_HELD = MAX_KEPT = 20
# Names of released documents of one unit.
MAX_RELEASED = 50


def is_stored(db: Connection, origin: Origin, document: Document) -> bool:
    """Whether the same session has delivered the same document before."""
    same = (
        documents.c.unit == origin.unit,
        documents.c.session == origin.session,
        documents.c.name == document.name,
        documents.c.kind == document.kind.value,
        documents.c.content == document.content,
    )
    return db.execute(select(documents.c.id).where(*same).limit(1)).first() is not None


def hold(db: Connection, origin: Origin, document: Document, hold_ns: int) -> None:
    """Raises RefusedByPolicy if too many are held."""
    supersede(db, origin, document.name)
    _require_room(db, origin, DocumentStatus.HELD, MAX_HELD)
    file = file_name(document.sender.serial, document.name)
    _require_few_files(db, origin, file)
    _insert(db, origin, document, (DocumentStatus.HELD, origin.now_ns + hold_ns, file))
    minutes = hold_ns / 60e9
    note(db, origin, f"document {document.name} held for {minutes:g} min until the first restore succeeds")


def keep(db: Connection, origin: Origin, document: Document) -> None:
    """Replaces a kept one of the same name. Raises RefusedByPolicy if too many are kept."""
    kept = DocumentStatus.KEPT
    db.execute(delete(documents).where(*_of(origin, kept), documents.c.name == document.name))
    _require_room(db, origin, kept, MAX_KEPT)
    _insert(db, origin, document, (kept, 0, ""))
    note(db, origin, f"document {document.name} ({document.kind.value}) kept")


def _require_room(db: Connection, origin: Origin, status: DocumentStatus, most: int) -> None:
    count: int = db.execute(select(func.count()).select_from(documents).where(*_of(origin, status))).scalar_one()
    if count >= most:
        words = "on hold" if status is DocumentStatus.HELD else status.value
        raise RefusedByPolicy(f"{count} documents of this unit are {words} already")


def _require_few_files(db: Connection, origin: Origin, file: str) -> None:
    """Released documents are files that no program removes; those of later provisionings replace them."""
    others = select(func.count(documents.c.file.distinct())).where(
        *_of(origin, DocumentStatus.RELEASED), documents.c.file != file
    )
    if db.execute(others).scalar_one() >= MAX_RELEASED:
        raise RefusedByPolicy(f"{MAX_RELEASED} documents of this unit with other names are released already")


def _of(origin: Origin, status: DocumentStatus) -> tuple[ColumnElement[bool], ...]:
    return documents.c.unit == origin.unit, documents.c.status == status.value


def _insert(db: Connection, origin: Origin, document: Document, place: tuple[DocumentStatus, int, str]) -> None:
    """``place``: status, time until which it is held, and name of the file when it is released."""
    status, hold_until_ns, file = place
    db.execute(
        insert(documents).values(
            unit=origin.unit,
            session=origin.session,
            name=document.name,
            kind=document.kind.value,
            size=len(document.content.encode()),
            content=document.content,
            file=file,
            received_ns=origin.now_ns,
            hold_until_ns=hold_until_ns,
            status=status.value,
        )
    )
