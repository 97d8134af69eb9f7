"""Writing released documents to the folder from which the factory takes them.

The release is decided and recorded in the store first; the file follows. A file that could not be written (the server
was killed, the disk is full) stays due and is written when the server starts again or sweeps.
"""

from __future__ import annotations

import os
import threading

from sqlalchemy import select, update

from gprov.apps.server.store.database import Database
from gprov.apps.server.store.tables import documents
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.formats.owner import Owner
from gprov.ports.files import Files

_WRITING = 1
_DUE = (
    select(documents.c.id, documents.c.file, documents.c.content)
    .where(documents.c.status == DocumentStatus.RELEASED.value, ~documents.c.written)
    .order_by(documents.c.id)
    .limit(1)
)


class ReleasedDocuments:
    """``folder``: where the documents go."""

    def __init__(self, database: Database, files: Files, folder: str) -> None:
        self._database = database
        self._files = files
        self._folder = folder
        self._owner = Owner(os.geteuid(), os.getegid())  # the server need not be root
        self._lock = threading.Lock()

    def write_due(self) -> int:
        """Write released documents, oldest first, and return how many. Stops at the first that fails, since a newer
        document of the same name must not be overwritten by an older one later. Raises DeviceFault."""
        written = 0
        if not self._is_due():
            return 0
        with self._lock, self._database.alone(_WRITING):
            while True:
                with self._database.read() as db:
                    due = db.execute(_DUE).first()
                if due is None:
                    return written
                path = os.path.join(self._folder, due.file)
                self._files.replace(path, due.content.encode(), mode=0o600, owner=self._owner)
                with self._database.write() as db:
                    db.execute(update(documents).where(documents.c.id == due.id).values(written=True))
                written += 1

    def _is_due(self) -> bool:
        with self._database.read() as db:
            return db.execute(_DUE).first() is not None
