"""Sending the events of a flow to a factory server. Works in the background: the flow never waits for the network."""

from __future__ import annotations

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.network.connect import connect
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.errors import GprovError
from gprov.domain.mfg.urls import with_scheme
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.unit_key import UnitKey
from gprov.ports.background import Task

# Name of the background task.
REMOTE_LOG = "remote-log"


def start_remote_log(ports: FlowPorts, endpoint: str, unit: Unit, context: UnitContext, key: UnitKey | None) -> Task:
    """Configure the network in the background, then send all events since the start of this run to the server at
    ``endpoint`` (a URL, or HOST:PORT). A failure is a warning. The network may take a minute, hence the background.
    ``key``: proves the unit to its factory server; None if RECOVERY has none."""
    url = with_scheme(endpoint)
    proof = key.for_server(url) if key is not None else None

    def work() -> None:
        try:
            with unexpected_errors_translated():
                connect(ports.network, ports.volumes.clock, unit, context)
                if proof is not None:
                    ports.session_access_at(url).prove(unit.serial, proof)
                context.bus.attach(ports.sink_for(ports.telemetry_at(url), unit.serial))
        except GprovError as error:
            context.bus.warning(f"no remote log: {error}")

    return ports.background.start(REMOTE_LOG, work)
