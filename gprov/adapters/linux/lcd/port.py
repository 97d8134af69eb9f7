"""Serial port of a display: 115200 baud, 8 data bits, no parity, 1 stop bit; never waits for the display.

pyserial opens and configures the port. Bytes are transferred here: its ``write`` spins while a port accepts none.
"""

from __future__ import annotations

import os
import select
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from gprov.adapters.linux.ioctl.serial import discard_at_close
from gprov.domain.errors import DeviceFault, DeviceMissing

BAUD = 115200
_READ_SIZE = 4096
_CFLAG = 2


class _Serial(Protocol):
    """The used part of serial.Serial, which has no type hints."""

    def fileno(self) -> int: ...

    def reset_output_buffer(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Ready:
    """``woken``: the other descriptor is readable."""

    readable: bool
    writable: bool
    woken: bool


class Port:
    """``note``: what the driver of the port cannot do, "" if it is complete."""

    def __init__(self, path: str, serial: _Serial, note: str) -> None:
        self._path = path
        self._fd = serial.fileno()
        self.note = note

    def wait(self, other: int, *, to_write: bool, seconds: float) -> Ready:
        """Wait until the port or the descriptor ``other`` is readable, or (``to_write``) the port accepts bytes, at
        most ``seconds``. Raises DeviceFault: the device was removed."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN | (select.POLLOUT if to_write else 0))
        poll.register(other, select.POLLIN)
        # Rounded up: a wait that ends before a deadline would be repeated at once.
        events = dict(poll.poll(int(max(0.0, seconds) * 1000) + 1))
        of_port = events.get(self._fd, 0)
        if of_port & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            raise DeviceFault(self._path, "the display was removed")
        return Ready(bool(of_port & select.POLLIN), bool(of_port & select.POLLOUT), other in events)

    def read(self) -> bytes:
        """What has arrived. Raises DeviceFault."""
        try:
            data = os.read(self._fd, _READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError as exc:
            raise DeviceFault(self._path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc
        if not data:
            raise DeviceFault(self._path, "the display was removed")
        return data

    def write(self, data: bytes) -> int:
        """Return how many bytes were accepted. Raises DeviceFault."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as exc:
            raise DeviceFault(self._path, f"cannot be written: {exc.strerror}", errno=exc.errno) from exc


@contextmanager
def open_port(path: str) -> Iterator[Port]:
    """Raises DeviceFault; DeviceMissing: there is no such device. Other programs that lock ports (flock) are kept out.

    The kernel raises DTR and RTS when a port is opened, and drops them when the last user closes it unless HUPCL is
    cleared; displays are spared that change.
    """
    try:
        import serial

        opened: _Serial = serial.Serial(path, BAUD, timeout=0, write_timeout=0, exclusive=True)
    except (ImportError, OSError, ValueError, termios.error) as exc:  # SerialException is an OSError
        kind = DeviceFault if os.path.exists(path) else DeviceMissing
        raise kind(path, f"cannot be opened: {exc}") from exc
    try:
        _keep_lines(path, opened.fileno())
        yield Port(path, opened, _discard_at_close(opened.fileno()))
    finally:
        # Closing would wait for bytes that a mute display does not accept. This discards those of the terminal, and
        # ``_discard_at_close`` those of the driver, which for USB adapters has no request for that.
        with suppress(OSError, termios.error):
            opened.reset_output_buffer()
        with suppress(OSError):
            opened.close()


def _discard_at_close(fd: int) -> str:
    """What a display that does not answer has not accepted is of no use. Returns the reason why the driver waits."""
    try:
        discard_at_close(fd)
    except OSError as exc:
        return f"its driver may wait for 30 s when the port is closed: {exc.strerror}"
    return ""


def _keep_lines(path: str, fd: int) -> None:
    try:
        attributes = termios.tcgetattr(fd)
        attributes[_CFLAG] &= ~termios.HUPCL
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
    except termios.error as exc:
        raise DeviceFault(path, f"cannot be configured: {exc}") from exc
