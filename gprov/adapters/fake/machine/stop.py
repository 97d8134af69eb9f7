"""How a simulated machine stops: by an exception that no flow can swallow, since it is no Exception."""

from __future__ import annotations

from enum import Enum


class StopReason(Enum):
    REBOOT = "reboot"
    POWER_OFF = "power off"
    SWITCHED_ROOT = "switched root"
    POWER_CUT = "power cut"


class MachineStopped(BaseException):
    """The flow that ran on the machine is over."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.how = reason
