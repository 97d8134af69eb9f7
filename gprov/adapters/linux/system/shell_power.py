"""Power port of the provisioning kernel with ``NO_REBOOT``: a shell on the console instead of a restart."""

from __future__ import annotations

import os
from typing import NoReturn

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.adapters.linux.system.power import SystemPower, flush_all
from gprov.ports.power import Power

_SHELL = "/bin/sh"


class ShellPower(Power):
    """For developers: the state after a flow can be inspected. When the shell exits, process 1 ends and the kernel
    restarts the machine."""

    def __init__(self, shell: str = _SHELL) -> None:
        self._shell = shell

    @override
    def reboot(self) -> NoReturn:
        flush_all()
        console = os.open("/dev/console", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(console, descriptor)
        os.write(1, b"\r\nNO_REBOOT is set: a shell instead of a restart\r\n")
        try:
            os.execv(self._shell, [self._shell])  # noqa: S606 (to become the shell is the task)
        except OSError as exc:
            raise fault_from_oserror(self._shell, "cannot become this program", exc) from exc

    @override
    def power_off(self) -> NoReturn:
        SystemPower().power_off()
