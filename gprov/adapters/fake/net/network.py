"""The simulated network: interfaces and a web server."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.errors import NetworkFault
from gprov.domain.unit.lease import DEFAULT, Lease, Route
from gprov.domain.unit.nics import Nic
from gprov.ports.network import Network, Report


class FakeNetwork(Network):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def nics(self) -> tuple[Nic, ...]:
        return tuple(sorted(self._machine.nics, key=lambda nic: nic.name))

    @override
    def connect(self, nics: Sequence[Nic], seconds: float, report: Report) -> Lease:
        self._machine.begin_write("connect")
        for nic in nics:
            if nic.carrier and nic in self._machine.nics:
                return Lease(
                    interface=nic.name,
                    address="10.0.2.15",
                    prefix=24,
                    routes=(Route(DEFAULT, "10.0.2.2"),),
                    name_servers=("10.0.2.3",),
                )
        self._machine.clock.sleep(seconds)
        raise NetworkFault(", ".join(nic.name for nic in nics) or "no interface", "no lease")
