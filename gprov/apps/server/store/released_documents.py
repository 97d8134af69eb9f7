"""Writing released documents to the folder from which the factory takes them.

The release is decided and recorded in the store first; the file follows. A file that could not be written (the server
was killed, the disk is full) stays due and is written when the server starts again or sweeps.
"""

from __future__ import annotations

import os
import threading

from gprov.apps.server.store.database import Database
from gprov.domain.formats.owner import Owner
from gprov.ports.files import Files


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
        with self._lock:
            while True:
                with self._database.read() as db:
                    due = db.execute(
                        "SELECT id, file, content FROM documents WHERE status = 'released' AND written = 0"
                        " ORDER BY id LIMIT 1"
                    ).fetchone()
                if due is None:
                    return written
                path = os.path.join(self._folder, due["file"])
                self._files.replace(path, due["content"].encode(), mode=0o600, owner=self._owner)
                with self._database.write() as db:
                    db.execute("UPDATE documents SET written = 1 WHERE id = ?", (due["id"],))
                written += 1
