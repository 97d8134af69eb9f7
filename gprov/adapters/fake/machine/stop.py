"""How a simulated machine stops: with a BaseException, which flows do not catch."""

from __future__ import annotations

from enum import Enum


class StopReason(Enum):
    REBOOT = "reboot"
    POWER_OFF = "power off"
    SWITCHED_ROOT = "switched root"
    POWER_CUT = "power cut"


class MachineStopped(BaseException):
    """Ends the flow that runs on the machine."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.reason = reason
