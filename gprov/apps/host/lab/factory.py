"""The factory that stands around a unit of the lab: its server, and its network if the unit starts over that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.namespace import ADDRESS, FactoryNetwork, factory_network
from gprov.apps.host.lab.netboot import netboot_service
from gprov.apps.host.lab.origin import Origin, Site, factory_server
from gprov.apps.host.lab.unit import SERVER, Unit
from gprov.ports.process import Processes


@dataclass(frozen=True, slots=True)
class Factory:
    """``network``: None if units see the host through QEMU's user-mode network."""

    origin: Origin
    network: FactoryNetwork | None = None

    def machine(self, unit: Unit) -> Machine:
        """As it stands there, on the factory's network."""
        return self.network.attach(unit.machine()) if self.network is not None else unit.machine()


@contextmanager
def factory_for(processes: Processes, unit: Unit, boot_arguments: str) -> Iterator[Factory]:
    """``boot_arguments``: kernel arguments of provisioning, besides mfgurl, for units that start over the network."""
    server, log = unit.path(SERVER), unit.path("server.log")
    if not unit.spec.netboot:
        with factory_server(processes, server, log) as origin:
            yield Factory(origin)
        return
    with factory_network(processes, len(unit.spec.machine("").nics)) as network:
        site = Site(network.name, ADDRESS, ADDRESS, boot_arguments)
        with (
            factory_server(processes, server, log, site) as origin,
            netboot_service(processes, network, origin.guest_url, unit.folder, unit.path("dnsmasq.log")),
        ):
            yield Factory(origin, network)
