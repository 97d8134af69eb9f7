"""One terminal (virtual console or serial line): reads single keys, writes with a timeout."""

from __future__ import annotations

import os
import select
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Seconds. After a timeout, writes do not wait until the terminal accepts bytes again.
WRITE_TIMEOUT = 0.5

_LFLAG = 3
_CC = 6


def write_with_timeout(fd: int, data: bytes, seconds: float) -> bool:
    """Write to a non-blocking descriptor. Returns False if it took no bytes for ``seconds``. Raises OSError."""
    while data:
        if not select.select([], [fd], [], seconds)[1]:
            return False
        data = data[os.write(fd, data) :]
    return True


class Terminal:
    """After a hang-up or removal, reads return nothing and writes are discarded."""

    def __init__(self, path: str) -> None:
        """Discards earlier input: serial lines deliver noise at power-on."""
        self.path = path
        self.fd = -1
        self._write_timeout = WRITE_TIMEOUT
        with suppress(OSError, termios.error):
            self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            termios.tcflush(self.fd, termios.TCIFLUSH)

    @property
    def is_open(self) -> bool:
        return self.fd >= 0

    @contextmanager
    def raw_mode(self) -> Iterator[None]:
        """Context: single keys without echo. The previous mode is restored afterwards."""
        try:
            before = termios.tcgetattr(self.fd) if self.is_open else None
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
            if before is not None and self.is_open:
                with suppress(OSError, termios.error):
                    termios.tcsetattr(self.fd, termios.TCSANOW, before)

    def discard_input(self) -> None:
        """Discard what was typed and not read."""
        if self.is_open:
            with suppress(OSError, termios.error):
                termios.tcflush(self.fd, termios.TCIFLUSH)

    def read(self) -> bytes:
        """Typed bytes; empty if there are none, or after a hang-up."""
        try:
            data = os.read(self.fd, 256)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.close()
        return data

    def write(self, text: str) -> bool:
        """Write with the line ends of terminals. Bytes that the terminal does not accept in time are discarded; then
        False."""
        return self.write_bytes(text.replace("\n", "\r\n").encode(errors="replace"))

    def write_bytes(self, data: bytes) -> bool:
        """Write as it is. Bytes that the terminal does not accept in time are discarded; then False."""
        if not self.is_open:
            return True
        accepted = False
        try:
            accepted = write_with_timeout(self.fd, data, self._write_timeout)
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return True
        self._write_timeout = WRITE_TIMEOUT if accepted else 0.0
        return accepted

    def close(self) -> None:
        if self.fd >= 0:
            with suppress(OSError):
                os.close(self.fd)
            self.fd = -1
