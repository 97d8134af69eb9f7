"""The network before anybody knows which unit this is: interfaces with our OUI first, else whatever there is."""

from __future__ import annotations

from gprov.apps.events import EventBus
from gprov.apps.remote import LEASE_SECONDS, NIC_SECONDS, RemotePorts
from gprov.domain.branding import Branding
from gprov.domain.errors import NetworkFault
from gprov.domain.unit.nics import own_nics
from gprov.ports.clock import Deadline
from gprov.ports.network import Lease

_POLL_SECONDS = 0.25


def connect_any(ports: RemotePorts, branding: Branding, bus: EventBus) -> Lease:
    """Raises NetworkFault if there is no interface, or none gets an address."""
    deadline = Deadline(ports.clock, NIC_SECONDS)
    while not ports.network.nics():
        if deadline.passed:
            raise NetworkFault("no network interface", f"none appeared within {NIC_SECONDS:g} s")
        ports.clock.sleep(_POLL_SECONDS)
    nics = ports.network.nics()
    lease = ports.network.connect(own_nics(nics, (branding.mac_prefix,)) or nics, LEASE_SECONDS)
    bus.log(f"network: {lease.interface} has {lease.address}/{lease.prefix}, gateway {lease.gateway or 'none'}")
    return lease
