"""Sending the events of a flow to a factory server. Works in the background: the flow never waits for the network."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.network.connect import connect
from gprov.apps.unit.network.server_trust import trust_log_server
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.errors import GprovError
from gprov.domain.mfg.urls import with_scheme
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.trust import ServerTrust
from gprov.domain.unit.unit_key import UnitKey
from gprov.ports.background import Task

# Name of the background task.
REMOTE_LOG = "remote-log"


@dataclass(frozen=True, slots=True)
class LogServer:
    """``endpoint``: URL, or HOST:PORT. ``trust``, ``key``: as RECOVERY has them. The key proves the unit to its
    server."""

    endpoint: str
    trust: ServerTrust | None
    key: UnitKey | None = None


def start_remote_log(ports: FlowPorts, server: LogServer, unit: Unit, context: UnitContext) -> Task:
    """Configure the network in the background, then send all events since the start of this run to the server. A
    failure is a warning. The network may take a minute, hence the background."""
    url = with_scheme(server.endpoint)
    proof = server.key.for_server(url) if server.key is not None else None

    def work() -> None:
        try:
            with unexpected_errors_translated():
                connect(ports.network, ports.volumes.clock, unit, context)
                trust_log_server(ports.trust, url, server.trust, context)
                if proof is not None:
                    ports.session_access_at(url).prove(unit.serial, proof)
                context.bus.attach(ports.sink_for(ports.telemetry_at(url), unit.serial))
        except GprovError as error:
            context.bus.warning(f"no remote log: {error}")

    return ports.background.start(REMOTE_LOG, work)
