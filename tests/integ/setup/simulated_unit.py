"""A simulated machine that is provisioned by a real factory server over real HTTP."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.linux.net.factory_clients import FactoryClients
from gprov.adapters.linux.net.http import RequestsHttp
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.apps.host.simulation.world import World
from gprov.apps.unit.composition.wiring import set_value
from gprov.ports.network import Fetched, Http, Reply, TransferLimits, TransferProgress

if TYPE_CHECKING:
    from gprov.apps.unit.composition.container import UnitContainer


class ToMachine(Http):
    """Real transfers, whose files end on the simulated machine."""

    def __init__(self, http: Http, machine: SimulatedMachine) -> None:
        self._http = http
        self._files = FakeFiles(machine)

    @override
    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 16 << 20,
        seconds: float = 30.0,
    ) -> Reply:
        return self._http.request(method, url, body=body, headers=headers, limit=limit, seconds=seconds)

    @override
    def download(self, url: str, target: str, progress: TransferProgress, limits: TransferLimits) -> Fetched:
        with tempfile.TemporaryDirectory() as folder:
            real = Path(folder) / "file"
            fetched = self._http.download(url, str(real), progress, replace(limits, attempts=1))
            self._files.stream(target, real.read_bytes(), whole=True)
        return fetched


def life(manuf_url: str) -> World:
    """Provision a blank unit, and let it restore itself. ``manuf_url``: of the server's manufData.json."""
    world = new_world()
    world.install = lambda container: _connect(container, world.machine)
    assert world.provision(mfgurl=manuf_url) is StopReason.REBOOT
    while (reason := world.boot()) is not StopReason.SWITCHED_ROOT:
        assert reason is StopReason.REBOOT
    return world


def _connect(container: UnitContainer, machine: SimulatedMachine) -> None:
    http, clock = RequestsHttp(SystemClock()), SystemClock()
    clients = FactoryClients(http, clock)
    set_value(container.http, ToMachine(http, machine))
    set_value(container.telemetry_at, clients.at)
    set_value(container.time_source_at, clients.at)
    set_value(container.document_store_at, clients.at)
    set_value(container.erasure_registry_at, clients.at)
    set_value(container.credential_store_at, clients.at)
    set_value(container.run_history_at, clients.at)
