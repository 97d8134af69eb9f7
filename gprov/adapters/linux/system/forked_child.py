"""Work in a child process that is a copy of this one.

For system calls that may not return: a thread that hangs in the kernel keeps its process from executing another
program (switch root), a child does not.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from gprov.adapters.linux.system.os_errors import fault_from_oserror

_CHUNK = 1 << 16
_MOST = 16 << 20


class ForkedChild:
    """``work`` runs in the child and returns what ``poll`` passes on. It may use only what is imported already, and no
    lock: other threads of this process do not exist in the child."""

    def __init__(self, work: Callable[[], bytes]) -> None:
        """Raises DeviceFault."""
        try:
            read_end, write_end = os.pipe()
            try:
                self._pid = os.fork()
            except OSError:
                os.close(read_end)
                os.close(write_end)
                raise
        except OSError as exc:
            raise fault_from_oserror("fork", "cannot start a process", exc) from exc
        if self._pid == 0:
            _run_in_child(work, write_end)
        os.close(write_end)
        os.set_blocking(read_end, False)
        self._pipe: int | None = read_end
        self._parts: list[bytes] = []
        self._size = 0

    def poll(self) -> bytes | None:
        """All that the child returned, b"" if it failed; None while it works. Never blocks."""
        while self._pipe is not None:
            try:
                part = os.read(self._pipe, _CHUNK)
            except BlockingIOError:
                return None
            except OSError:
                part = b""
            self._size += len(part)
            if not part or self._size > _MOST:
                self.stop()
            else:
                self._parts.append(part)
        return b"".join(self._parts)

    def stop(self) -> None:
        """Kill the child. One that hangs in a system call ends when that returns."""
        if self._pipe is None:
            return
        os.close(self._pipe)
        self._pipe = None
        with suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)
        # An ended child is reaped at once; one that hangs is left to the init process that reaps all.
        for _ in range(10):
            with suppress(ChildProcessError):
                if os.waitpid(self._pid, os.WNOHANG)[0] == 0:
                    time.sleep(0.002)
                    continue
            return


def _run_in_child(work: Callable[[], bytes], write_end: int) -> None:
    status = 1
    try:
        data = work()
        while data:
            data = data[os.write(write_end, data) :]
        status = 0
    finally:
        os._exit(status)
