"""The clients of factory servers in one run of a program."""

from __future__ import annotations

from gprov.adapters.linux.net.factory import HttpFactory, base_url
from gprov.ports.clock import Clock
from gprov.ports.network import Http


class FactoryClients:
    """The clients of one run of a program: one for each server."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._clients: dict[str, HttpFactory] = {}

    def at(self, endpoint: str) -> HttpFactory:
        """``endpoint``: base URL of the server."""
        return self._clients.setdefault(base_url(endpoint), HttpFactory(self._http, self._clock, endpoint))


def client_at(clients: FactoryClients, endpoint: str) -> HttpFactory:
    return clients.at(endpoint)
