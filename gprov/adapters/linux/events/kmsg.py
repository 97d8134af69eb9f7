"""Writes events to the kernel's log buffer, in one order with kernel messages; the system's journal keeps them."""

from __future__ import annotations

import os
from contextlib import suppress

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.event_text import is_on_consoles, printable_lines, severity_of
from gprov.domain.events import Event, Progress, Severity
from gprov.ports.events import EventSink

# <facility * 8 + level>: facility 3 (daemon), levels of syslog(3). With ``quiet`` the kernel's console shows what is
# more urgent than 4: errors only.
_PRIORITY = {Severity.LOG: 30, Severity.MSG: 29, Severity.WARNING: 28, Severity.ERROR: 27}
# The kernel's console shows this with ``debug`` or ``ignore_loglevel`` only.
_ON_CONSOLES = 31

# The kernel refuses a record of more than 992 bytes (LOG_LINE_MAX, kernel/printk/printk.c)
_MAX_BYTES = 900

# By default the kernel drops lines of a process beyond ten in five seconds. Its command line (printk.devkmsg=)
# overrides this setting.
_RATE_LIMIT = "/proc/sys/kernel/printk_devkmsg"


class KmsgSink(EventSink):
    """Writes all events except progress; one record for each line of a text."""

    def __init__(self, path: str = "/dev/kmsg", tag: str = "gprov", rate_limit: str = _RATE_LIMIT) -> None:
        """Lifts the kernel's rate limit and opens the log. Raises DeviceFault if it cannot be opened."""
        self._path = path
        self._tag = tag
        with suppress(OSError):  # an older kernel, or overridden by its command line: lines may be missing
            _write(rate_limit, b"on\n")
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as exc:
            raise fault_from_oserror(path, "cannot open the kernel log", exc) from exc

    @property
    @override
    def name(self) -> str:
        return self._path

    @override
    def publish(self, event: Event) -> None:
        """Raises DeviceFault."""
        if isinstance(event.body, Progress):
            return
        priority = _ON_CONSOLES if is_on_consoles(event.body) else _PRIORITY[severity_of(event.body)]
        try:
            for line in printable_lines(event.body):
                os.write(self._fd, _record(f"<{priority}>{self._tag}: {line}"))
        except OSError as exc:
            raise fault_from_oserror(self._path, "cannot write the kernel log", exc) from exc

    @override
    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def log_line(text: str, path: str = "/dev/kmsg") -> None:
    """Write one line without a sink, for programs that stay beside the system. Without a kernel log it is lost."""
    with suppress(OSError):
        _write(path, _record(f"<{_PRIORITY[Severity.LOG]}>gprov: {text}"))


def _record(line: str) -> bytes:
    """One record, truncated between two characters if it is too long."""
    return line.encode()[:_MAX_BYTES].decode(errors="ignore").encode() + b"\n"


def _write(path: str, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)
