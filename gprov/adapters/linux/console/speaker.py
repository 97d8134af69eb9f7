"""The PC speaker, through the virtual console (ioctl_console(2), KDMKTONE)."""

from __future__ import annotations

import fcntl
import os

_KDMKTONE = 0x4B30
# The clock of the timer chip that makes the tone; the tone is a fraction of it.
_TIMER_HZ = 1193182


def beep(hertz: int, milliseconds: int, console: str = "/dev/tty0") -> None:
    """Start a tone; the kernel ends it. Without a speaker nothing is heard. Raises OSError: no virtual console."""
    fd = os.open(console, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, _KDMKTONE, milliseconds << 16 | _TIMER_HZ // hertz)
    finally:
        os.close(fd)
