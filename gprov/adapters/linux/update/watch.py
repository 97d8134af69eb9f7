"""The end of a connection whose peer sends a byte now and then: a reader that waits for a whole line of headers has no
time limit of its own, and each byte begins that of the socket anew."""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from contextlib import suppress

_LONGEST_WAIT = 60.0  # seconds until a later end is seen


class Watch:
    """``seconds``: after which the connection is shut down, from a thread of its own. ``expired``: that has happened;
    what was read then is not whole."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self._end = time.monotonic() + seconds
        self._changed = threading.Condition()
        self._is_over = False
        self._thread: threading.Thread | None = None

    def begin(self, descriptor: int) -> None:
        """Of the connection. It is duplicated: the connection's owner may close it at any time."""
        held = socket.socket(fileno=os.dup(descriptor))
        self._thread = threading.Thread(target=self._run, args=(held,), daemon=True)
        self._thread.start()

    def extend(self, seconds: float) -> None:
        """So many from now on."""
        with self._changed:
            self.seconds, self._end = seconds, time.monotonic() + seconds

    def pause(self) -> None:
        """What was read is written elsewhere, which may take its time."""
        with self._changed:
            self._end = math.inf

    def end(self) -> None:
        """No error if it is called twice, or never began."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, held: socket.socket) -> None:
        with held, self._changed:
            while not self._is_over and (left := self._end - time.monotonic()) > 0:
                self._changed.wait(min(left, _LONGEST_WAIT))
            if not self._is_over:
                self.expired = True
                with suppress(OSError):  # not connected any more
                    held.shutdown(socket.SHUT_RDWR)
