"""Telling a server what happens here: network up, a sink that delivers in the background. Never in the flow's way."""

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
from gprov.ports.factory import Factory
from gprov.ports.network import Network

FactoryAt = Callable[[str], Factory]
SinkFor = Callable[[Factory, str], EventSink]

# Name of what runs in the background.
REMOTE_LOG = "remote-log"


@dataclass(frozen=True, kw_only=True)
class RemotePorts:
    """``factory_at`` makes a client for an endpoint URL; ``sink_for`` one that delivers a unit's events to it."""

    network: Network
    clock: Clock
    background: Background
    factory_at: FactoryAt
    sink_for: SinkFor


def log_to(ports: RemotePorts, endpoint: str, unit: Unit, branding: Branding, bus: EventBus) -> Task:
    """Send what happens to a server, from its beginning, as soon as it can be reached; that it can't be is a warning.
    The flow goes on meanwhile: no network may take a minute to be sure of."""

    def work() -> None:
        try:
            with foreseen():
                connect(ports.network, ports.clock, unit, branding, bus)
                bus.attach(ports.sink_for(ports.factory_at(endpoint), unit.serial))
        except GprovError as error:
            bus.warning(f"no remote log: {error}")

    return ports.background.start(REMOTE_LOG, work)
