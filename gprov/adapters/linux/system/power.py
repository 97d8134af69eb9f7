"""Power port: reboot(2), for init only."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import NoReturn

from typing_extensions import override

from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import DeviceFault, RefusedByPolicy
from gprov.ports.power import Power

# LINUX_REBOOT_CMD_* (linux/reboot.h); the C library adds the magic numbers. CAP_SYS_BOOT.
RB_AUTOBOOT = 0x01234567
RB_POWER_OFF = 0x4321FEDC

# What flows need was flushed long before. A device that hangs must not keep the machine from its next start.
_FLUSH_SECONDS = 300.0


def flush_all(seconds: float = _FLUSH_SECONDS, sync: Callable[[], None] = os.sync) -> bool:
    """sync(2), which may block forever. Returns False if it did not end within ``seconds``."""
    return ThreadBackground().start("sync", sync).wait(seconds)


class SystemPower(Power):
    """Only process 1 may end the machine: a gprov that was started by hand cannot switch off a workstation."""

    @override
    def reboot(self) -> NoReturn:
        _reboot_command(RB_AUTOBOOT, "reboot")

    @override
    def power_off(self) -> NoReturn:
        _reboot_command(RB_POWER_OFF, "power off")


def _reboot_command(command: int, action: str) -> NoReturn:
    """Raises RefusedByPolicy unless this is process 1, DeviceFault if the kernel does not carry out the command."""
    if os.getpid() != 1:
        raise RefusedByPolicy(f"only the init process may {action} this machine")
    flush_all()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.reboot.argtypes = [ctypes.c_uint]
    libc.reboot.restype = ctypes.c_int
    if libc.reboot(command) < 0:
        code = ctypes.get_errno()
        raise fault_from_oserror("machine", f"cannot {action}", OSError(code, os.strerror(code)))
    raise DeviceFault("machine", f"did not {action} though the kernel agreed to")
