"""Telling a server what happens here: network up, a sink that delivers in the background. Never in the flow's way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.events import EventBus
from gprov.domain.branding import Branding
from gprov.domain.errors import GprovError, NetworkFault
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.nics import Nic, usable
from gprov.ports.clock import Clock, Deadline
from gprov.ports.events import EventSink
from gprov.ports.factory import Factory
from gprov.ports.network import Lease, Network

NIC_SECONDS = 20.0
LEASE_SECONDS = 60.0
_POLL_SECONDS = 0.25

FactoryAt = Callable[[str], Factory]
SinkFor = Callable[[Factory, str], EventSink]


@dataclass(frozen=True)
class RemotePorts:
    """``factory_at`` makes a client for an endpoint URL; ``sink_for`` one that delivers a unit's events to it."""

    network: Network
    clock: Clock
    factory_at: FactoryAt
    sink_for: SinkFor


def connect(ports: RemotePorts, unit: Unit, branding: Branding, bus: EventBus) -> Lease:
    """Ask for an address on all interfaces of the unit's own that a cable may be in. Raises NetworkFault."""
    nics = _usable_nics(ports, unit, branding)
    lease = ports.network.connect(nics, LEASE_SECONDS)
    bus.log(f"network: {lease.interface} has {lease.address}/{lease.prefix}, gateway {lease.gateway or 'none'}")
    return lease


def log_to(ports: RemotePorts, endpoint: str, unit: Unit, branding: Branding, bus: EventBus) -> None:
    """Send what happens to a server, if it can be reached; that it can't be is a warning."""
    try:
        connect(ports, unit, branding, bus)
        bus.attach(ports.sink_for(ports.factory_at(endpoint), unit.serial))
    except GprovError as error:
        bus.warning(f"no remote log: {error}")


def _usable_nics(ports: RemotePorts, unit: Unit, branding: Branding) -> tuple[Nic, ...]:
    """Drivers may still be probing: wait until there is an interface of ours."""
    deadline = Deadline(ports.clock, NIC_SECONDS)
    while True:
        seen = ports.network.nics()
        nics = usable(seen, unit.platform.nic_info, branding.mac_prefix)
        if nics:
            return nics
        if deadline.passed:
            macs = ", ".join(f"{nic.name} {nic.mac}" for nic in seen) or "none at all"
            raise NetworkFault("no interface of this unit's own", f"there are: {macs}")
        ports.clock.sleep(_POLL_SECONDS)
