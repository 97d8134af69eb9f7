"""A simulated machine that is provisioned by a real factory server over real HTTP."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from gprov.adapters.fake.events.sinks import FakeServerSink
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.linux.net.factory_clients import FactoryClients
from gprov.adapters.linux.net.http import RequestsHttp
from gprov.adapters.linux.net.server_trust import HttpTrust
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.apps.host.simulation.world import World
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.events import Event, StateChange
from gprov.ports.factory import Telemetry
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


class LogInBatches(FakeServerSink):
    """Log lines wait for the next state, as in a queue: one request for many."""

    def __init__(self, telemetry: Telemetry, serial: str) -> None:
        super().__init__(telemetry, serial)
        self._waiting: list[Event] = []

    @override
    def publish(self, event: Event) -> None:
        if isinstance(event.body, StateChange):
            self._flush()
            super().publish(event)
        else:
            self._waiting.append(event)

    @override
    def close(self) -> None:
        self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._telemetry.events(self._serial, self._waiting)
            self._waiting = []


def kernel_arguments(script: str) -> dict[str, str]:
    """Those of the iPXE script that starts provisioning."""
    (line,) = (line for line in script.splitlines() if line.startswith("kernel "))
    words = line.partition(" && ")[0].split()[2:]
    return dict(word.split("=", 1) for word in words)


def life(arguments: Mapping[str, str]) -> World:
    """Provision a blank unit, and let it restore itself. ``arguments``: of its kernel."""
    world = new_world()
    world.install = lambda container: _connect(container, world.machine)
    assert world.provision(**arguments) is StopReason.REBOOT
    while (reason := world.boot()) is not StopReason.SWITCHED_ROOT:
        assert reason is StopReason.REBOOT
    return world


def _connect(container: UnitContainer, machine: SimulatedMachine) -> None:
    clock, trust = SystemClock(), HttpTrust()
    http = RequestsHttp(clock, trust)
    set_value(container.trust_store, trust)
    clients = FactoryClients(http, clock)
    set_value(container.http, ToMachine(http, machine))
    set_value(container.sink_for, LogInBatches)
    set_value(container.telemetry_at, clients.at)
    set_value(container.time_source_at, clients.at)
    set_value(container.document_store_at, clients.at)
    set_value(container.erasure_registry_at, clients.at)
    set_value(container.credential_store_at, clients.at)
    set_value(container.run_history_at, clients.at)
    set_value(container.session_access_at, clients.at)
