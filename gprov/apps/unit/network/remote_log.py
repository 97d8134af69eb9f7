"""Sending events to a server: network up, then a sink that delivers in the background. The flow does not wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.unit.network.connect import connect
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.unexpected import foreseen
from gprov.domain.branding import Branding
from gprov.domain.errors import GprovError
from gprov.domain.platform.identify import Unit
from gprov.ports.background import Background, Task
from gprov.ports.clock import Clock
from gprov.ports.events import EventSink
from gprov.ports.factory import Telemetry
from gprov.ports.network import Network

TelemetryAt = Callable[[str], Telemetry]
SinkFor = Callable[[Telemetry, str], EventSink]

# Name of what runs in the background.
REMOTE_LOG = "remote-log"


@dataclass(frozen=True)
class RemotePorts:
    """``telemetry_at`` takes the URL of a server; ``sink_for`` makes a sink that delivers a unit's events to it."""

    network: Network
    clock: Clock
    background: Background
    telemetry_at: TelemetryAt
    sink_for: SinkFor


def log_to(ports: RemotePorts, endpoint: str, unit: Unit, branding: Branding, bus: EventBus) -> Task:
    """Send all events, from the first one, as soon as the server can be reached; if it cannot, that is a warning. The
    flow goes on meanwhile: finding out that there is no network may take a minute."""

    def work() -> None:
        try:
            with foreseen():
                connect(ports.network, ports.clock, unit, branding, bus)
                bus.attach(ports.sink_for(ports.telemetry_at(endpoint), unit.serial))
        except GprovError as error:
            bus.warning(f"no remote log: {error}")

    return ports.background.start(REMOTE_LOG, work)
