"""Whether the store can take reports: it is written to, and there is room on its file system."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import update

from gprov.apps.server.store.database import Database
from gprov.apps.server.store.tables import store_version
from gprov.domain.errors import DeviceFault
from gprov.ports.files import Files

# However often it is asked.
_CHECKED_NS = 5 * 10**9


class Health:
    """``folder``: the data folder; ``least_free``: bytes; ``now``: the server's clock, UTC, ns. ``warnings``: what
    needs a person soon."""

    def __init__(
        self,
        *,
        database: Database,
        files: Files,
        folder: str,
        least_free: int,
        now: Callable[[], int],
        warnings: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._database = database
        self._files = files
        self._folder = folder
        self._least_free = least_free
        self._now = now
        self.warnings = warnings
        self._lock = threading.Lock()
        self._checked_ns: int | None = None
        self._found: tuple[str, ...] = ()

    def problems(self) -> tuple[str, ...]:
        """Empty: ready. Without names of files; what failed is found out at most every five seconds."""
        with self._lock:
            now = self._now()
            if self._checked_ns is None or not 0 <= now - self._checked_ns < _CHECKED_NS:
                self._found = self._check()
                self._checked_ns = now
            return self._found

    def free_bytes(self) -> int:
        """On the file system of the data folder. Raises DeviceFault."""
        return self._files.usage(self._folder).free

    def _check(self) -> tuple[str, ...]:
        found = []
        try:
            with self._database.write() as db:
                db.execute(update(store_version).values(version=store_version.c.version))
        except DeviceFault:
            found.append("the store cannot be written")
        try:
            if self.free_bytes() < self._least_free:
                found.append("there is too little room on the disk")
        except DeviceFault:
            found.append("the data folder cannot be read")
        return tuple(found)
