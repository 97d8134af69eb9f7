"""Reboot and power-off of the simulated machine."""

from __future__ import annotations

from typing import NoReturn

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.ports.power import Power


class FakePower(Power):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def reboot(self) -> NoReturn:
        self._machine.flush()
        raise MachineStopped(StopReason.REBOOT)

    @override
    def power_off(self) -> NoReturn:
        self._machine.flush()
        raise MachineStopped(StopReason.POWER_OFF)
