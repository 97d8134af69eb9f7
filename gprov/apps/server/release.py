"""Writing released documents to the folder where the factory picks them up.

The release is decided and recorded in the store first; the file follows. A file that could not be written (the server
was killed, the disk is full) stays due and is written when the server starts again or sweeps.
"""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import suppress

from gprov.apps.server.database import Database
from gprov.domain.errors import DeviceFault


class Releases:
    def __init__(self, database: Database, folder: str) -> None:
        """``folder`` is made if missing. Raises DeviceFault."""
        self._database = database
        self._folder = folder
        self._lock = threading.Lock()
        try:
            os.makedirs(folder, mode=0o755, exist_ok=True)
        except OSError as exc:
            raise DeviceFault(folder, f"cannot be made: {exc.strerror}", errno=exc.errno) from exc

    def write_due(self) -> int:
        """Write what was released, oldest first, and return how many. Stops at the first that fails (a newer
        document of the same name must not be overwritten by an older one later). Raises DeviceFault."""
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
                _replace(self._folder, due["file"], due["content"].encode())
                with self._database.write() as db:
                    db.execute("UPDATE documents SET written = 1 WHERE id = ?", (due["id"],))
                written += 1


def _replace(folder: str, name: str, content: bytes) -> None:
    """Beside, flushed, renamed, folder flushed."""
    path = os.path.join(folder, name)
    try:
        descriptor, partial = tempfile.mkstemp(prefix=".partial-", dir=folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            os.replace(partial, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(partial)
            raise
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be written: {exc.strerror}", errno=exc.errno) from exc
