"""How a simulated machine stops: by an exception that no flow can swallow, since it is no Exception."""

from __future__ import annotations

from enum import Enum


class Stop(Enum):
    REBOOT = "reboot"
    POWER_OFF = "power off"
    SWITCHED_ROOT = "switched root"
    POWER_CUT = "power cut"


class MachineStopped(BaseException):
    """The flow that ran on the machine is over."""

    def __init__(self, how: Stop) -> None:
        super().__init__(how.value)
        self.how = how
