"""One terminal (virtual console or serial line), read key by key and written without ever waiting for long."""

from __future__ import annotations

import os
import select
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# A terminal that takes no bytes for so many seconds is not waited for again until it does.
PATIENCE = 0.5

_LFLAG = 3
_CC = 6


def write_patiently(fd: int, data: bytes, seconds: float) -> bool:
    """Write to a descriptor that does not block; False if it took no more bytes for ``seconds``. Raises OSError."""
    while data:
        if not select.select([], [fd], [], seconds)[1]:
            return False
        data = data[os.write(fd, data) :]
    return True


class Terminal:
    """A terminal that dies (hang-up, removed adapter) is silent from then on."""

    def __init__(self, path: str) -> None:
        """What was typed before is thrown away: at power-on, serial lines deliver noise."""
        self.path = path
        self.fd = -1
        self._patience = PATIENCE
        with suppress(OSError, termios.error):
            self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            termios.tcflush(self.fd, termios.TCIFLUSH)

    @property
    def alive(self) -> bool:
        return self.fd >= 0

    @contextmanager
    def keys(self) -> Iterator[None]:
        """Every key at once and without echo while in here; the mode from before is restored afterwards."""
        try:
            before = termios.tcgetattr(self.fd) if self.alive else None
            if before is not None:
                raw = [*before]
                raw[_LFLAG] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
                raw[_CC] = [*before[_CC]]
                raw[_CC][termios.VMIN], raw[_CC][termios.VTIME] = 1, 0
                termios.tcsetattr(self.fd, termios.TCSANOW, raw)
        except (OSError, termios.error):
            before = None
            self.close()
        try:
            yield
        finally:
            if before is not None and self.alive:
                with suppress(OSError, termios.error):
                    termios.tcsetattr(self.fd, termios.TCSANOW, before)

    def read(self) -> bytes:
        """What was typed; empty if nothing was, or if the terminal just died."""
        try:
            data = os.read(self.fd, 256)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.close()
        return data

    def write(self, text: str) -> None:
        """Lines end as terminals need it. Bytes that the terminal does not take in time are lost."""
        if not self.alive:
            return
        data = text.replace("\n", "\r\n").encode(errors="replace")
        try:
            self._patience = PATIENCE if write_patiently(self.fd, data, self._patience) else 0.0
        except BlockingIOError:
            self._patience = 0.0
        except OSError:
            self.close()

    def close(self) -> None:
        if self.fd >= 0:
            with suppress(OSError):
                os.close(self.fd)
            self.fd = -1


def typed(terminals: list[Terminal], seconds: float) -> bytes:
    """What is typed first on any of them, waiting at most ``seconds``."""
    living = [terminal for terminal in terminals if terminal.alive]
    if not living:
        return b""
    ready = select.select([terminal.fd for terminal in living], [], [], max(0.0, seconds))[0]
    return b"".join(terminal.read() for terminal in living if terminal.fd in ready)
