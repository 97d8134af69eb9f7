"""The server's one store: an SQLite file that only its owner can read, or a PostgreSQL database."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from gprov.apps.server.store.backends import ERRORS, Backend, PostgresqlBackend, SqliteBackend, fault, make_private
from gprov.apps.server.store.schema import make_tables
from gprov.apps.server.store.tables import store_version
from gprov.domain.errors import DeviceFault, DeviceMissing

# First number of the advisory locks of ``alone``.
_ALONE = 0x6770726F8000


class Database:
    """``name``: the store in messages. Threads may share it. Several processes may have one store open."""

    def __init__(self, folder: str, url: str = "") -> None:
        """Open the store below ``folder``, or the PostgreSQL database of ``url``; make its tables if it is new. Raises
        DeviceFault."""
        self._backend = _backend(folder, url)
        self.name = self._backend.name
        # Threads wait for their turn to write here, where they hold no connection.
        self._turn = threading.Lock()
        try:
            with self.write() as db:
                make_tables(db, self.name)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that no other one changes anything beside: durable when the context is left, undone if it is
        left by an exception."""
        with self._turn, _translated(self.name), self._backend.engine.connect() as free:
            db = self._backend.writing(free)
            yield db
            db.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view. It waits for no writer, and no writer waits for it."""
        with _translated(self.name), self._backend.engine.connect() as free:
            yield self._backend.reading(free)

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of its own, with each statement by itself: for locks that last longer than a transaction."""
        with _translated(self.name), self._backend.engine.connect() as free:
            yield free.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def alone(self, work: int) -> Iterator[None]:
        """Keep other processes from the same work, which lasts longer than a transaction. ``work``: a number for it.
        With SQLite, there are none."""
        if self._backend.engine.dialect.name != "postgresql":
            yield
            return
        with self.session() as db:
            key = {"key": _ALONE + work}
            db.execute(text("SELECT pg_advisory_lock(:key)"), key)
            try:
                yield
            finally:
                db.execute(text("SELECT pg_advisory_unlock(:key)"), key)

    def scrub(self) -> bool:
        """Remove what was deleted or replaced from the store's files. False: to be tried again later."""
        with self._turn, _translated(self.name):
            return self._backend.scrub()

    def close(self) -> None:
        with self._turn:
            self._backend.engine.dispose()


def store_path(folder: str) -> str:
    """Of the SQLite file."""
    return os.path.join(folder, "store", "factory.sqlite")


@contextmanager
def open_existing(folder: str, url: str = "") -> Iterator[Connection]:
    """A consistent view of a store, also while a server runs; of SQLite only reading is possible. Raises DeviceMissing
    (nothing is made), DeviceFault."""
    path = store_path(folder)
    if not url and not os.path.exists(path):
        raise DeviceMissing(path, "there is no store of a factory server")
    backend = _backend(folder, url) if url else SqliteBackend(path, read_only=True)
    try:
        with _translated(backend.name), backend.engine.connect() as free:
            db = backend.reading(free)
            if not inspect(db).has_table(store_version.name):
                raise DeviceMissing(backend.name, "there is no store of a factory server")
            yield db
    finally:
        backend.engine.dispose()


def _backend(folder: str, url: str) -> Backend:
    if not url:
        path = store_path(folder)
        make_private(path)
        return SqliteBackend(path)
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise DeviceFault("the store", "its database is no URL: postgresql://user@host/name") from exc
    return PostgresqlBackend(parsed)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except ERRORS as exc:
        raise fault(name, exc) from exc
