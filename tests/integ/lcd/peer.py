"""The other end of a display's port: a pseudo-terminal with a display, or with something that only looks like one."""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

from tests.unit.lcd.toy_display import ToyDisplay

DEADLINE = 20.0


class Peer:
    """``answer``: bytes of the host to bytes of the display; None: nothing reads what the host writes."""

    def __init__(self, answer: Callable[[bytes], bytes] | None) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._answer = answer
        self._plugged = True
        if answer is not None:
            self._thread.start()

    @classmethod
    def of(cls, display: ToyDisplay) -> Peer:
        return cls(display.receive)

    def plug(self, path: Path) -> None:
        """Make the port a device file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        """Hang up: reads fail with EIO."""
        if self._plugged:
            self._plugged = False
            os.eventfd_write(self._stop, 1)
            if self._thread.is_alive():
                self._thread.join()
            for fd in (self._master, self._slave, self._stop):
                os.close(fd)

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

    def fill(self) -> None:
        """Fill the buffer of the port, so that it accepts no further byte."""
        fd = os.open(os.ttyname(self._slave), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            while True:
                os.write(fd, bytes(4096))
        except BlockingIOError:
            os.close(fd)

    def _serve(self) -> None:
        assert self._answer is not None
        while True:
            ready = select.select([self._master, self._stop], [], [])[0]
            if self._stop in ready:
                return
            reply = self._answer(os.read(self._master, 4096))
            try:
                os.write(self._master, reply)
            except BlockingIOError:
                continue  # the host does not read: what does not fit is lost, as on a wire


def eventually(holds: Callable[[], bool], seconds: float = DEADLINE) -> bool:
    """Whether a condition holds within ``seconds``."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        select.select([], [], [], 0.005)
    return True
