"""Attention port: the PC speaker, and the identify light through the management controller."""

from __future__ import annotations

from contextlib import suppress

from typing_extensions import override

from gprov.adapters.linux.console.speaker import beep
from gprov.domain.errors import GprovError
from gprov.domain.formats.ipmi.chassis import LONGEST_IDENTIFY, identify
from gprov.ports.attention import Attention
from gprov.ports.background import Background, Task
from gprov.ports.bmc import Bmc

_HERTZ, _MILLISECONDS = 880, 1000


class UnitAttention(Attention):
    """The controller is asked on another thread: one that hangs takes seconds for an answer."""

    def __init__(self, background: Background, bmc: Bmc, console: str = "/dev/tty0") -> None:
        self._background = background
        self._bmc = bmc
        self._console = console
        self._task: Task | None = None

    @override
    def alarm(self) -> None:
        with suppress(OSError):  # no virtual console
            beep(_HERTZ, _MILLISECONDS, self._console)
        if self._task is None or self._task.wait(0.0):
            self._task = self._background.start("identify-light", self._light)

    def _light(self) -> None:
        with suppress(GprovError):  # no controller, or one without this light
            self._bmc.exchange(identify(LONGEST_IDENTIFY))
