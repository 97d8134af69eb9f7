"""Event sinks of a unit: the console, and a log file on RECOVERY."""

from __future__ import annotations

import errno
import os

from typing_extensions import override

from gprov.adapters.linux.console.log import ConsoleLog
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import DeviceFault
from gprov.domain.event_text import (
    displayed_text,
    event_text,
    is_on_consoles,
    percent,
    printable_lines,
    severity_of,
    timestamp,
)
from gprov.domain.events import Event, Progress, Severity
from gprov.domain.log_files import next_log_name
from gprov.ports.clock import Clock
from gprov.ports.events import EventSink

# Events of this time may be lost in a power cut, except errors.
_FLUSH_NS = 10 * 1_000_000_000
_PERCENT_STEP = 10
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LOG_FILE = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = (errno.ENOSPC, errno.EDQUOT)


class ConsoleSink(EventSink):
    """Writes messages, warnings, errors, and every tenth of a long task's progress.

    ``verbose``: all events, formatted as in the log, except copies of what consoles have shown. A console that is
    missing, hung up or blocked loses lines and costs half a second once; it raises no error. ``log`` holds lines back
    while a dialog is on the consoles.
    """

    def __init__(self, log: ConsoleLog, *, verbose: bool = False) -> None:
        self._log = log
        self._verbose = verbose
        self._shown = ("", -1)

    @property
    @override
    def name(self) -> str:
        return self._log.path

    @override
    def publish(self, event: Event) -> None:
        if is_on_consoles(event.body):
            return
        text = event_text(event) if self._verbose else self._displayed_text(event)
        if text:
            self._log.write(text.replace("\n", "\r\n").encode() + b"\r\n")

    @override
    def close(self) -> None:
        self._log.close()

    def _displayed_text(self, event: Event) -> str:
        body = event.body
        return self._progress(body) if isinstance(body, Progress) else displayed_text(body)

    def _progress(self, progress: Progress) -> str:
        step = (progress.task, percent(progress) // _PERCENT_STEP)
        if step == self._shown or not progress.total:
            return ""
        self._shown = step
        return f"{' '.join(printable_lines(progress)).partition(': ')[0]}: {step[1] * _PERCENT_STEP}%"


class FileSink(EventSink):
    """A log file in a folder, named after stage and time: a new file for each boot, whatever the clock shows.

    Each event is in the page cache when ``publish`` returns, and on the medium after an error, every ten seconds and
    after ``close``. On a full disk lines are dropped and counted; the count is logged when there is space again. Other
    errors are raised.
    """

    def __init__(self, clock: Clock, folder: str, stage: str = "recov") -> None:
        """Creates nothing: folder and file are created with the first event, which may change ``path``."""
        self._folder = folder
        self._stage = stage
        self._clock = clock
        self._named = False
        self.path = f"{folder}/{next_log_name(stage, clock.now_ns(), ())}"
        self._fd = -1
        self._dropped_lines = 0
        self._flushed_ns = 0

    @property
    @override
    def name(self) -> str:
        return self.path

    @override
    def publish(self, event: Event) -> None:
        """Raises DeviceFault if the medium fails, but not if it is full."""
        try:
            self._append(event)
            urgent = severity_of(event.body) is Severity.ERROR
            if urgent or abs(event.time_ns - self._flushed_ns) >= _FLUSH_NS:
                self._flushed_ns = event.time_ns
                os.fsync(self._fd)
        except OSError as exc:
            if exc.errno not in _FULL:
                raise fault_from_oserror(self.path, "cannot write log", exc) from exc
            self._dropped_lines += 1

    @override
    def close(self) -> None:
        """Flushes file and folder. Raises DeviceFault if the log is incomplete."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                os.fsync(fd)
                self._flush_folder()
            except OSError as exc:
                raise fault_from_oserror(self.path, "cannot flush log", exc) from exc
            finally:
                os.close(fd)
        if self._dropped_lines:
            raise DeviceFault(self.path, _dropped_text(self._dropped_lines))

    def _append(self, event: Event) -> None:
        """Write the whole event or nothing. Raises OSError."""
        if self._fd < 0:
            self._open()
        head = (
            f"{timestamp(event.time_ns)} WARNING {_dropped_text(self._dropped_lines)}\n" if self._dropped_lines else ""
        )
        data = f"{head}{event_text(event)}\n".encode()
        size = os.fstat(self._fd).st_size
        try:
            written = os.write(self._fd, data)
        except OSError:
            os.ftruncate(self._fd, size)
            raise
        if written < len(data):
            os.ftruncate(self._fd, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
        self._dropped_lines = 0

    def _open(self) -> None:
        """No links are followed: the folder or a file in it could be one that leads out of RECOVERY."""
        os.makedirs(self._folder, mode=0o755, exist_ok=True)
        folder = os.open(self._folder, _FOLDER)
        try:
            if not self._named:
                name = next_log_name(self._stage, self._clock.now_ns(), os.listdir(folder))
                self.path, self._named = f"{self._folder}/{name}", True
            self._fd = os.open(os.path.basename(self.path), _LOG_FILE, 0o644, dir_fd=folder)
        finally:
            os.close(folder)

    def _flush_folder(self) -> None:
        folder = os.open(self._folder, _FOLDER)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _dropped_text(count: int) -> str:
    return f"file log: {count} lines not written (no space left on the volume)"
