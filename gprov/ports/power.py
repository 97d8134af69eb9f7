"""Reboot and power-off."""

from __future__ import annotations

from typing import NoReturn, Protocol


class Power(Protocol):
    """Both methods flush file systems first, with a time limit for hanging devices, and do not return. On a simulated
    machine they raise ``MachineStopped``."""

    def reboot(self) -> NoReturn: ...

    def power_off(self) -> NoReturn: ...
