"""How a simulated machine stops: by exceptions that no flow can swallow, since they are no Exception."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NoReturn

from typing_extensions import override

from gprov.ports.power import Power

if TYPE_CHECKING:
    from gprov.adapters.fake.machine.machine import SimulatedMachine


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


class FakePower(Power):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def reboot(self) -> NoReturn:
        self._machine.flush()
        raise MachineStopped(Stop.REBOOT)

    @override
    def power_off(self) -> NoReturn:
        self._machine.flush()
        raise MachineStopped(Stop.POWER_OFF)
