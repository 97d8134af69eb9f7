"""Leaving: reboot and power-off."""

from __future__ import annotations

from typing import NoReturn, Protocol


class Power(Protocol):
    """Both flush file systems first, but wait for no device for ever, and do not return; a simulated machine raises
    ``MachineStopped`` instead."""

    def reboot(self) -> NoReturn: ...

    def power_off(self) -> NoReturn: ...
