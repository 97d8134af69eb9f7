"""Power port of the provisioning kernel with ``NO_REBOOT``: a shell on the console instead of a restart."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NoReturn

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.adapters.linux.system.power import SystemPower, flush_all
from gprov.domain.errors import GprovError
from gprov.ports.power import Power

_SHELL = "/bin/sh"
_CONSOLE = "/dev/console"


class ShellPower(Power):
    """For developers: the state after a flow can be inspected. When the shell exits, process 1 ends and the kernel
    restarts the machine.

    ``end_unsealing``: what has to be done before, since the shell asks for no password: from then on the TPM returns no
    secret. If it fails, the machine restarts by ``machine``."""

    def __init__(
        self,
        end_unsealing: Callable[[], None],
        *,
        shell: str = _SHELL,
        console: str = _CONSOLE,
        machine: Power | None = None,
    ) -> None:
        self._end_unsealing = end_unsealing
        self._shell = shell
        self._console = console
        self._machine = SystemPower() if machine is None else machine

    @override
    def reboot(self) -> NoReturn:
        flush_all()
        console = os.open(self._console, os.O_RDWR)
        try:
            self._end_unsealing()
        except GprovError as error:
            text = f"\r\nNO_REBOOT: no shell, since the TPM still returns secrets: {error}; restarting\r\n"
            os.write(console, text.encode(errors="replace"))
            self._machine.reboot()
        for descriptor in (0, 1, 2):
            os.dup2(console, descriptor)
        os.write(1, b"\r\nNO_REBOOT is set: a shell instead of a restart\r\n")
        try:
            os.execv(self._shell, [self._shell])  # noqa: S606 (to become the shell is the task)
        except OSError as exc:
            raise fault_from_oserror(self._shell, "cannot become this program", exc) from exc

    @override
    def power_off(self) -> NoReturn:
        self._machine.power_off()
