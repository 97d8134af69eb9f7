"""What differs between the databases: connections, transactions, locks, and removing what was replaced."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import Protocol
from urllib.parse import quote

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry
from typing_extensions import override

from gprov.domain.errors import DeviceFault

_BUSY_SECONDS = 10.0
_SCRUB_BUSY_SECONDS = 0.1
# Connections that are kept, and how many more there may be at once: one for each thread that answers requests.
_POOL = {"pool_size": 8, "max_overflow": 56, "pool_timeout": _BUSY_SECONDS, "pool_use_lifo": True}
# Of SQLite: 8 MiB for a connection, and a log of 16 MiB. The pages that the reports of 500 units at once change fit.
_CACHE, _CHECKPOINT = "cache_size = -8192", "wal_autocheckpoint = 4096"
# Write transactions of all processes on one PostgreSQL database take turns, as they do with SQLite.
_WRITERS = 0x6770726F76
_WRITES = "gprov_writes"

# A server, database or role that is set to answer before a transaction is on stable storage waits here all the same.
_TURN = text("""
    SELECT pg_advisory_xact_lock(:key),
        CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END
""")

# What statements fail with; those that are given to a driver itself fail with its own.
ERRORS = (SQLAlchemyError, sqlite3.Error, psycopg.Error)
_UNAVAILABLE = (
    *(OperationalError, InterfaceError, PoolTimeout, sqlite3.OperationalError),
    *(psycopg.OperationalError, psycopg.InterfaceError),
)


class Backend(Protocol):
    """``name``: of the store in messages."""

    name: str
    engine: Engine

    def writing(self, db: Connection) -> Connection:
        """A connection whose next transaction is durable and excludes those of all other writers."""
        ...

    def reading(self, db: Connection) -> Connection:
        """A connection whose next transaction is a consistent view and waits for no writer."""
        ...

    def scrub(self) -> bool: ...


class SqliteBackend(Backend):
    """WAL with synchronous=FULL: a reply is sent after its transaction is on stable storage. That costs one flush for
    each transaction more than NORMAL; but after the reply a unit sets passwords and wipes disks. Readers have
    connections of their own: they see the last commit, and neither wait for a writer nor make one wait."""

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        self.name = path
        query = {"uri": "true", "mode": "ro"} if read_only else {}
        url = URL.create("sqlite", database=f"file:{quote(os.path.abspath(path))}" if query else path, query=query)
        arguments = {"timeout": _BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}
        self.engine = create_engine(url, hide_parameters=True, connect_args=arguments, **_POOL)
        event.listen(self.engine, "connect", _set_up_read_only if read_only else _set_up)
        event.listen(self.engine, "begin", _begin)

    @override
    def writing(self, db: Connection) -> Connection:
        return db.execution_options(**{_WRITES: True})

    @override
    def reading(self, db: Connection) -> Connection:
        return db

    @override
    def scrub(self) -> bool:
        """Remove what was deleted or replaced from the file and from its log. False: another connection reads at this
        time; to be tried again, which costs little until it does not."""
        with closing(sqlite3.connect(self.name, timeout=_SCRUB_BUSY_SECONDS, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            return _log_emptied(connection) and _rewritten(connection) and _log_emptied(connection)


class PostgresqlBackend(Backend):
    def __init__(self, url: URL) -> None:
        self.name = url.render_as_string(hide_password=True)
        self.engine = create_engine(url.set(drivername="postgresql+psycopg"), hide_parameters=True, **_POOL)

    @override
    def writing(self, db: Connection) -> Connection:
        db.execute(_TURN, {"key": _WRITERS})
        return db

    @override
    def reading(self, db: Connection) -> Connection:
        return db.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @override
    def scrub(self) -> bool:
        """Rewrite the tables of secrets. The log of the database server and its archive are out of reach."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.execute(text("VACUUM (FULL) passwords, store_key"))
        return True


class StoreUnavailable(DeviceFault):
    """The database is locked, full, damaged or away: no other statement would succeed now."""


def fault(name: str, error: SQLAlchemyError | sqlite3.Error | psycopg.Error) -> DeviceFault:
    """The error without statement and parameters."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    # PostgreSQL's further lines may quote rows.
    lines = str(cause).strip().splitlines()
    kind = StoreUnavailable if isinstance(error, _UNAVAILABLE) else DeviceFault
    return kind(name, lines[0] if lines else type(cause).__name__)


def make_private_folder(folder: str) -> None:
    """Mode 0700, whatever the umask. Raises DeviceFault."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chmod(folder, 0o700)
    except OSError as exc:
        raise DeviceFault(folder, f"cannot be made: {exc.strerror}", errno=exc.errno) from exc


def make_private(path: str) -> None:
    """The folder 0700 and the file 0600, whatever the umask; SQLite gives its -wal and -shm files the same mode."""
    make_private_folder(os.path.dirname(path))
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        os.chmod(path, 0o600)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be made: {exc.strerror}", errno=exc.errno) from exc


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    _set_up_read_only(connection, _)
    for setting in ("journal_mode = WAL", "synchronous = FULL", _CACHE, _CHECKPOINT):
        _pragma(connection, setting)


def _set_up_read_only(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    for setting in ("foreign_keys = ON", "secure_delete = ON"):
        _pragma(connection, setting)


def _pragma(connection: DBAPIConnection, setting: str) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin(db: Connection) -> None:
    """The driver begins no transactions by itself: it would do so only at the first change."""
    db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get(_WRITES) else "BEGIN")


def _log_emptied(connection: sqlite3.Connection) -> bool:
    return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]


def _rewritten(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("VACUUM")
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True
