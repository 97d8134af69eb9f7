"""Storing documents that units deliver: QA documents are held, all others are kept for people to read."""

from __future__ import annotations

import sqlite3

from gprov.apps.server.store.rows import Origin, note
from gprov.apps.server.store.state_reports import supersede
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.factory.documents import DocumentStatus, file_name
from gprov.domain.factory.requests import Document

# Documents of one unit that may be on hold at once, and that are kept.
MAX_HELD = MAX_KEPT = 20


def is_stored(db: sqlite3.Connection, origin: Origin, document: Document) -> bool:
    """Whether the same session has delivered the same document before."""
    found = db.execute(
        "SELECT 1 FROM documents WHERE unit = ? AND session = ? AND name = ? AND kind = ? AND content = ?",
        (origin.unit, origin.session, document.name, document.kind.value, document.content),
    ).fetchone()
    return found is not None


def hold(db: sqlite3.Connection, origin: Origin, document: Document, hold_ns: int) -> None:
    """Raises RefusedByPolicy if too many are held."""
    supersede(db, origin, document.name)
    _require_room(db, origin, DocumentStatus.HELD, MAX_HELD)
    file = file_name(document.sender.serial, document.name)
    _insert(db, origin, document, (DocumentStatus.HELD, origin.now_ns + hold_ns, file))
    minutes = hold_ns / 60e9
    note(db, origin, f"document {document.name} held for {minutes:g} min until the first restore succeeds")


def keep(db: sqlite3.Connection, origin: Origin, document: Document) -> None:
    """Replaces a kept one of the same name. Raises RefusedByPolicy if too many are kept."""
    kept = DocumentStatus.KEPT
    db.execute(
        "DELETE FROM documents WHERE unit = ? AND name = ? AND status = ?", (origin.unit, document.name, kept.value)
    )
    _require_room(db, origin, kept, MAX_KEPT)
    _insert(db, origin, document, (kept, 0, ""))
    note(db, origin, f"document {document.name} ({document.kind.value}) kept")


def _require_room(db: sqlite3.Connection, origin: Origin, status: DocumentStatus, most: int) -> None:
    count: int = db.execute(
        "SELECT count(*) FROM documents WHERE unit = ? AND status = ?", (origin.unit, status.value)
    ).fetchone()[0]
    if count >= most:
        words = "on hold" if status is DocumentStatus.HELD else status.value
        raise RefusedByPolicy(f"{count} documents of this unit are {words} already")


def _insert(db: sqlite3.Connection, origin: Origin, document: Document, place: tuple[DocumentStatus, int, str]) -> None:
    """``place``: status, time until which it is held, and name of the file when it is released."""
    status, hold_until_ns, file = place
    db.execute(
        "INSERT INTO documents (unit, session, name, kind, content, file, received_ns, hold_until_ns, status)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            origin.unit,
            origin.session,
            document.name,
            document.kind.value,
            document.content,
            file,
            origin.now_ns,
            hold_until_ns,
            status.value,
        ),
    )
