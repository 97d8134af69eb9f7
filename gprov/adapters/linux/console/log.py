"""The log on the system console, which waits while a dialog is on the consoles."""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import suppress

from gprov.adapters.linux.console.terminal import WRITE_TIMEOUT, write_with_timeout

# Events that are held back during a dialog; older ones are dropped. All of them are in the log file.
_HELD_LIMIT = 500


class ConsoleLog:
    """Output that is missing, hung up or blocked loses lines and costs half a second once; no error is raised. The
    methods may be called from any thread."""

    def __init__(self, path: str = "/dev/console") -> None:
        self.path = path
        self._fd = -1
        self._write_timeout = WRITE_TIMEOUT
        self._lock = threading.Lock()
        self._held: deque[bytes] | None = None

    def write(self, data: bytes) -> None:
        """Whole lines, with the line ends of terminals."""
        with self._lock:
            if self._held is not None:
                self._held.append(data)
            else:
                self._write(data)

    def hold(self) -> None:
        """From now on keep what is written."""
        with self._lock:
            if self._held is None:
                self._held = deque(maxlen=_HELD_LIMIT)

    def release(self) -> None:
        """Write what was kept, and further lines at once."""
        with self._lock:
            held, self._held = self._held, None
            for data in held or ():
                self._write(data)

    def close(self) -> None:
        """Write what was kept. A later line opens the console again."""
        self.release()
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def _write(self, data: bytes) -> None:
        with suppress(OSError):
            if self._fd < 0:
                self._fd = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            self._write_timeout = WRITE_TIMEOUT if write_with_timeout(self._fd, data, self._write_timeout) else 0.0
