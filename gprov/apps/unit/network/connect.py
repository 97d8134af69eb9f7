"""Network configuration: wait for the interfaces, select some, request an address on all of these at once."""

from __future__ import annotations

from collections.abc import Sequence

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.devices.settling import SETTLE_SECONDS
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import NetworkFault
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.lease import Lease
from gprov.domain.unit.nics import Nic, own_nics, usable_nics
from gprov.ports.clock import Clock, Deadline
from gprov.ports.network import Network

NIC_SECONDS = 20.0
LEASE_SECONDS = 60.0
_POLL_SECONDS = 0.25


def wait_for_nics(network: Network, clock: Clock, prefixes: Sequence[str]) -> tuple[Nic, ...]:
    """All interfaces, as soon as one has a MAC with one of these prefixes and the list did not change for
    SETTLE_SECONDS. After NIC_SECONDS, whatever exists, perhaps none."""
    deadline = Deadline(clock, NIC_SECONDS)
    seen: tuple[Nic, ...] = ()
    unchanged = Deadline(clock, SETTLE_SECONDS)
    while True:
        found = network.nics()
        if _identities(found) != _identities(seen):
            unchanged = Deadline(clock, SETTLE_SECONDS)
        seen = found
        if deadline.passed or (unchanged.passed and own_nics(seen, prefixes)):
            return seen
        clock.sleep(_POLL_SECONDS)


def connect_any(network: Network, clock: Clock, context: UnitContext) -> Lease:
    """For a unit that is not identified yet: use the interfaces with the brand's MAC prefix, or all if none has it.
    Raises NetworkFault if there is no interface, or none gets an address."""
    prefix = context.branding.mac_prefix
    seen = wait_for_nics(network, clock, (prefix,))
    if not seen:
        raise NetworkFault("no network interface", f"none appeared within {NIC_SECONDS:g} s")
    unit_nics = own_nics(seen, (prefix,))
    if not unit_nics:
        context.bus.warning(f"no interface has a MAC of {prefix}: trying all that there are")
    return _connect(network, unit_nics or seen, context.bus)


def connect(network: Network, clock: Clock, unit: Unit, context: UnitContext) -> Lease:
    """Use all of the unit's interfaces except those for diagnosis. Raises NetworkFault."""
    info, prefix = unit.platform.nic_info, context.branding.mac_prefix
    seen = wait_for_nics(network, clock, info.mac_prefixes or (prefix,))
    nics = usable_nics(seen, info, prefix)
    if not nics:
        macs = ", ".join(f"{nic.name} {nic.mac}" for nic in seen) or "none at all"
        raise NetworkFault("no interface of this unit's own", f"there are: {macs}")
    return _connect(network, nics, context.bus)


def _connect(network: Network, nics: Sequence[Nic], bus: EventBus) -> Lease:
    lease = network.connect(nics, LEASE_SECONDS, bus.warning)
    bus.log(f"network: {lease.interface} has {lease.address}/{lease.prefix}, gateway {lease.gateway or 'none'}")
    return lease


def _identities(nics: Sequence[Nic]) -> frozenset[tuple[str, str]]:
    return frozenset((nic.name, nic.mac) for nic in nics)
