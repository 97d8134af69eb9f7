"""Getting onto the network: wait for the interfaces, choose among them, ask for an address on all of those at once."""

from __future__ import annotations

from collections.abc import Sequence

from gprov.apps.unit.devices.settling import SETTLE_SECONDS
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.branding import Branding
from gprov.domain.errors import NetworkFault
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.nics import Nic, own_nics, usable
from gprov.ports.clock import Clock, Deadline
from gprov.ports.network import Lease, Network

NIC_SECONDS = 20.0
LEASE_SECONDS = 60.0
_LOOK_SECONDS = 0.25


def settled_nics(network: Network, clock: Clock, wanted: Sequence[str]) -> tuple[Nic, ...]:
    """All interfaces, once one with such a MAC prefix is there and none came or went for a while; after NIC_SECONDS
    whatever there is, perhaps nothing."""
    deadline = Deadline(clock, NIC_SECONDS)
    seen: tuple[Nic, ...] = ()
    quiet = Deadline(clock, SETTLE_SECONDS)
    while True:
        found = network.nics()
        if _identities(found) != _identities(seen):
            quiet = Deadline(clock, SETTLE_SECONDS)
        seen = found
        if deadline.passed or (quiet.passed and own_nics(seen, wanted)):
            return seen
        clock.sleep(_LOOK_SECONDS)


def connect_any(network: Network, clock: Clock, branding: Branding, bus: EventBus) -> Lease:
    """Before anybody knows which unit this is: on interfaces with the brand's prefix, or else on whatever there is.
    Raises NetworkFault if there is no interface, or none gets an address."""
    wanted = (branding.mac_prefix,)
    seen = settled_nics(network, clock, wanted)
    if not seen:
        raise NetworkFault("no network interface", f"none appeared within {NIC_SECONDS:g} s")
    own = own_nics(seen, wanted)
    if not own:
        bus.warning(f"no interface has a MAC of {branding.mac_prefix}: trying all that there are")
    return _connect(network, own or seen, bus)


def connect(network: Network, clock: Clock, unit: Unit, branding: Branding, bus: EventBus) -> Lease:
    """On all interfaces of the unit's own that a cable may be in. Raises NetworkFault."""
    info = unit.platform.nic_info
    seen = settled_nics(network, clock, info.mac_prefixes or (branding.mac_prefix,))
    nics = usable(seen, info, branding.mac_prefix)
    if not nics:
        macs = ", ".join(f"{nic.name} {nic.mac}" for nic in seen) or "none at all"
        raise NetworkFault("no interface of this unit's own", f"there are: {macs}")
    return _connect(network, nics, bus)


def _connect(network: Network, nics: Sequence[Nic], bus: EventBus) -> Lease:
    lease = network.connect(nics, LEASE_SECONDS)
    bus.log(f"network: {lease.interface} has {lease.address}/{lease.prefix}, gateway {lease.gateway or 'none'}")
    return lease


def _identities(nics: Sequence[Nic]) -> frozenset[tuple[str, str]]:
    return frozenset((nic.name, nic.mac) for nic in nics)
