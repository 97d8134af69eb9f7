"""The factory of a lab unit: its server, and a network of its own for network boot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gprov.apps.host.lab.factory_server import FactoryServerProcess, ServerLocation, factory_server
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.namespace import ADDRESS, FactoryNetwork, factory_network
from gprov.apps.host.lab.netboot import netboot_service
from gprov.apps.host.lab.unit import SERVER, VirtualUnit
from gprov.ports.process import Processes


@dataclass(frozen=True, slots=True)
class LabFactory:
    """``network``: None if units reach the host through QEMU's user-mode network."""

    server: FactoryServerProcess
    network: FactoryNetwork | None = None

    def machine(self, unit: VirtualUnit) -> Machine:
        """Return the unit's machine, attached to the factory's network if there is one."""
        return self.network.attach(unit.machine()) if self.network is not None else unit.machine()


@contextmanager
def factory_for(processes: Processes, unit: VirtualUnit, boot_arguments: str) -> Iterator[LabFactory]:
    """``boot_arguments``: kernel arguments of provisioning, besides mfgurl, for network boot."""
    data_folder, log = unit.path(SERVER), unit.path("server.log")
    if not unit.spec.netboot:
        with factory_server(processes, data_folder, log, ServerLocation(tls=unit.spec.tls)) as server:
            yield LabFactory(server)
        return
    with factory_network(processes, len(unit.spec.machine("").nics)) as network:
        location = ServerLocation(
            namespace=network.name,
            listen=ADDRESS,
            host=ADDRESS,
            boot_arguments=boot_arguments,
            tls=unit.spec.tls,
        )
        with (
            factory_server(processes, data_folder, log, location) as server,
            netboot_service(processes, network, server.boot_url, unit.folder, unit.path("dnsmasq.log")),
        ):
            yield LabFactory(server, network)
