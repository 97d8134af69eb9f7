"""Which processes use a store: servers, and commands that may not run beside one.

An SQLite store has one server. Several servers, on one host or more, may share a PostgreSQL database.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import text

from gprov.apps.server.store.backends import make_private
from gprov.apps.server.store.database import Database, store_path
from gprov.domain.errors import DeviceFault

# Of an advisory lock of PostgreSQL, which ends with its connection.
_SERVERS = 0x6770726F77


@contextmanager
def serving(folder: str, url: str = "") -> Iterator[None]:
    """Hold the lock that a server has on its store. Raises DeviceFault if a command holds it alone, or, with SQLite,
    another server. It ends with the process."""
    with _locked(url, shared=True) if url else _file_lock(folder):
        yield


@contextmanager
def sole_server(folder: str, url: str = "") -> Iterator[None]:
    """The same, and no server runs meanwhile. Raises DeviceFault."""
    with _locked(url, shared=False) if url else _file_lock(folder):
        yield


@contextmanager
def _file_lock(folder: str) -> Iterator[None]:
    path = f"{store_path(folder)}.lock"
    make_private(path)
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise DeviceFault(folder, "is in use by another server", errno=exc.errno) from exc
        yield


@contextmanager
def _locked(url: str, *, shared: bool) -> Iterator[None]:
    function = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
    with closing(Database("", url)) as database, database.session() as db:
        if not db.execute(text(f"SELECT {function}(:key)"), {"key": _SERVERS}).scalar_one():
            raise DeviceFault(database.name, "is in use by another server")
        yield
