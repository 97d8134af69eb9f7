"""The server's one embedded store: an SQLite file that only its owner can read.

WAL with synchronous=FULL: a reply is sent after its transaction is on stable storage. That costs
one flush for each request more than NORMAL; but after the reply a unit sets passwords and wipes disks.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain

from gprov.apps.server.store.schema import MIGRATIONS
from gprov.domain.erase.certificate import sha256_of
from gprov.domain.errors import DeviceFault, DeviceMissing

_BUSY_SECONDS = 10.0


class Database:
    """One connection, used by one thread at a time. Several processes may have the file open."""

    def __init__(self, folder: str) -> None:
        """Open the store below ``folder``, making or migrating it. Raises DeviceFault."""
        self.path = store_path(folder)
        self._lock = threading.Lock()
        _make_private(self.path)
        self._connection = _connect(self.path)
        try:
            _migrate(self._connection, self.path)
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: durable when the context is left, undone if it is left by an exception."""
        with self._lock, _translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A consistent view."""
        with self._lock, _translated(self.path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    def scrub(self) -> bool:
        """Remove what was deleted or replaced from the file and from its log. False: another connection reads at this
        time; to be tried again, which costs little until it does not."""
        with self._lock, _translated(self.path):
            self._connection.execute("PRAGMA busy_timeout = 100")  # reports of units wait meanwhile
            try:
                return self._log_emptied() and self._rewritten() and self._log_emptied()
            finally:
                self._connection.execute(f"PRAGMA busy_timeout = {round(_BUSY_SECONDS * 1000)}")

    def _log_emptied(self) -> bool:
        return not self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    def _rewritten(self) -> bool:
        try:
            self._connection.execute("VACUUM")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return False
            raise
        return True

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def store_path(folder: str) -> str:
    return os.path.join(folder, "store", "factory.sqlite")


@contextmanager
def sole_server(folder: str) -> Iterator[None]:
    """Hold the lock that a server has on its data folder. Raises DeviceFault if another one holds it. It ends with the
    process."""
    path = f"{store_path(folder)}.lock"
    _make_private(path)
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise DeviceFault(folder, "is in use by another server", errno=exc.errno) from exc
        yield


@contextmanager
def open_existing(folder: str) -> Iterator[sqlite3.Connection]:
    """A read-only connection, also while a server runs. Raises DeviceMissing, DeviceFault."""
    path = store_path(folder)
    if not os.path.exists(path):
        raise DeviceMissing(path, "there is no store of a factory server")
    with _translated(path), closing(_connect(f"file:{path}?mode=ro", uri=True)) as connection:
        yield connection


def _connect(path: str, uri: bool = False) -> sqlite3.Connection:
    with _translated(path):
        connection = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=uri
        )
        connection.row_factory = sqlite3.Row
        connection.create_function("sha256_hex", 1, lambda text: sha256_of(text.encode()), deterministic=True)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        if not uri:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        return connection


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    with _translated(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _due(connection, path):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _due(connection: sqlite3.Connection, path: str) -> Iterator[str]:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise DeviceFault(path, f"was written by a newer gprov (version {version}, this one has {len(MIGRATIONS)})")
    return chain.from_iterable(MIGRATIONS[version:])


def _make_private(path: str) -> None:
    """The folder 0700 and the file 0600, whatever the umask; SQLite gives its -wal and -shm files the same mode."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chmod(folder, 0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        os.chmod(path, 0o600)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be made: {exc.strerror}", errno=exc.errno) from exc


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise DeviceFault(path, str(exc)) from exc
