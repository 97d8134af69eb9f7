"""The Linux adapter of each port of the network, as in ``gprov.apps.unit.composition.adapters``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each import is time on every boot
    from collections.abc import Callable

    from gprov.adapters.linux.net.factory import HttpFactory
    from gprov.adapters.linux.net.server_trust import HttpTrust
    from gprov.ports.background import Background
    from gprov.ports.clock import Clock
    from gprov.ports.events import EventSink
    from gprov.ports.factory import Telemetry
    from gprov.ports.network import Http, Network
    from gprov.ports.process import Processes


def http_trust() -> HttpTrust:
    from gprov.adapters.linux.net.server_trust import HttpTrust

    return HttpTrust()


def http(*, clock: Clock, trust: HttpTrust) -> Http:
    from gprov.adapters.linux.net.http import RequestsHttp

    return RequestsHttp(clock, trust)


def network(*, processes: Processes, clock: Clock, background: Background) -> Network:
    from gprov.adapters.linux.net.dhcp import UdhcpcNetwork

    return UdhcpcNetwork(processes, clock, background)


def factory_clients(*, http: Http, clock: Clock) -> Callable[[str], HttpFactory]:
    """Returns the client for the URL of a server, always the same one for the same server."""
    from gprov.adapters.linux.net.factory_clients import FactoryClients

    return FactoryClients(http, clock).at


def client_at(clients: Callable[[], Callable[[str], HttpFactory]]) -> Callable[[str], HttpFactory]:
    """The client for the URL of a server. The first call loads the clients, and with them the HTTP library."""

    def client(endpoint: str) -> HttpFactory:
        return clients()(endpoint)

    return client


def server_sink(telemetry: Telemetry, serial: str) -> EventSink:
    from gprov.adapters.linux.net.server_sink import ServerSink

    return ServerSink(telemetry, serial)
