"""Local time, the restart of the system, and the lock that only one agent holds."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.update.window import LocalMinute
from gprov.ports.process import Processes
from gprov.ports.update import LocalTime, Restart

_RESTART_SECONDS = 60.0


class SystemLocalTime(LocalTime):
    @override
    def now(self) -> LocalMinute:
        local = time.localtime()
        return LocalMinute(local.tm_wday, local.tm_hour * 60 + local.tm_min)


class SystemctlRestart(Restart):
    """``systemctl reboot``: services end in order."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    @override
    def restart(self) -> None:
        self._processes.run(["systemctl", "reboot"], timeout=_RESTART_SECONDS)


@contextmanager
def only_one(path: str) -> Iterator[None]:
    """Raises RefusedByPolicy if another agent works on this unit, DeviceFault."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as exc:
        raise fault_from_oserror(path, "cannot open", exc) from exc
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            if exc.errno in (errno.EWOULDBLOCK, errno.EACCES):
                how = "systemctl stop gprov-update, or wait until it has ended"
                raise RefusedByPolicy(f"another gprov-update works on this unit: {how}") from exc
            raise fault_from_oserror(path, "cannot be locked", exc) from exc
        yield
    finally:
        os.close(descriptor)


def is_mount_point(path: str) -> bool:
    return os.path.ismount(path)
