"""Requests to serial ports (``linux/serial.h``). Each raises OSError with the errno of the call; ENOTTY: the driver has
no such settings."""

from __future__ import annotations

import fcntl
import struct

_TIOCGSERIAL = 0x541E
_TIOCSSERIAL = 0x541F
# struct serial_struct: what is before closing_wait, and all of it.
_BEFORE = struct.calcsize("@8iHcci")
_SIZE = struct.calcsize("@8iHcciHHPHIL")
_CLOSING_WAIT_NONE = 65535


def discard_at_close(fd: int) -> None:
    """Closing the port discards what the device has not accepted; it would wait for up to 30 s by default. The setting
    stays until the device is removed. CAP_SYS_ADMIN."""
    settings = bytearray(fcntl.ioctl(fd, _TIOCGSERIAL, bytes(_SIZE)))
    struct.pack_into("@H", settings, _BEFORE, _CLOSING_WAIT_NONE)
    fcntl.ioctl(fd, _TIOCSSERIAL, bytes(settings))
