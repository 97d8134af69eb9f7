"""What becomes of an interface with each event of its DHCP client: a lease is a state, not a moment.

The events are those of busybox' udhcpc, which runs a program for each (``udhcpc.c``: udhcp_run_script). ``follow`` says
what is held afterwards and what has to be done to the interface; the adapter only carries that out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network

from gprov.domain.errors import BadInput
from gprov.domain.unit.lease import Lease, Route, lease_from


class DhcpEvent(Enum):
    """``DECONFIG``: the client began, or its lease ran out. ``LEASEFAIL``: no server answered; it goes on asking."""

    DECONFIG = "deconfig"
    BOUND = "bound"
    RENEW = "renew"
    NAK = "nak"
    LEASEFAIL = "leasefail"


@dataclass(frozen=True, slots=True)
class ClearAddresses:
    """All addresses of the interface go, and with them its routes."""

    interface: str


@dataclass(frozen=True, slots=True)
class AddAddress:
    interface: str
    address: str
    prefix: int


@dataclass(frozen=True, slots=True)
class SetRoute:
    """In place of any other route to that destination."""

    interface: str
    route: Route


@dataclass(frozen=True, slots=True)
class DropRoute:
    interface: str
    route: Route


@dataclass(frozen=True, slots=True)
class UseNameServers:
    addresses: tuple[str, ...]


Action = ClearAddresses | AddAddress | SetRoute | DropRoute | UseNameServers


@dataclass(frozen=True, slots=True)
class Outcome:
    """``lease``: what is held now. ``note``: what a person should hear; "" if all goes well."""

    lease: Lease | None
    actions: tuple[Action, ...] = ()
    note: str = ""


def follow(held: Lease | None, interface: str, event: DhcpEvent, environment: Mapping[str, str]) -> Outcome:
    """Never fails: a lease that cannot be used is none, and the note says why."""
    match event:
        case DhcpEvent.BOUND | DhcpEvent.RENEW:
            try:
                lease = lease_from(interface, environment)
            except BadInput as exc:
                return Outcome(None, _release(held), str(exc))
            return Outcome(lease, _configure(held, lease), _news(held, lease))
        case DhcpEvent.NAK:
            return Outcome(None, _release(held), _lost(held, "the server refused to renew it"))
        case DhcpEvent.DECONFIG:
            return Outcome(None, _release(held), _lost(held, "it ended, and no server renewed it"))
        case DhcpEvent.LEASEFAIL:
            return Outcome(None, _release(held), _lost(held, "no server answers"))


def wanted_routes(lease: Lease) -> tuple[Route, ...]:
    """In the order in which the kernel accepts them: a gateway must be on the link, so what is on the link comes first,
    and a gateway outside of all that gets a route of its own."""
    on_link = [route for route in lease.routes if not route.gateway]
    through = [route for route in lease.routes if route.gateway]
    near = (lease.network, *(IPv4Network(route.destination) for route in on_link if route.destination != "0.0.0.0/0"))
    hosts: dict[str, Route] = {}
    for route in through:
        if not any(IPv4Address(route.gateway) in network for network in near):
            hosts[f"{route.gateway}/32"] = Route(f"{route.gateway}/32")
    # The gateway itself was named as a destination behind a gateway: as a neighbour it is reached, or not at all.
    rest = [route for route in through if route.destination not in hosts]
    return (*on_link, *hosts.values(), *rest)


def _configure(held: Lease | None, lease: Lease) -> tuple[Action, ...]:
    if held == lease:
        return ()
    name = lease.interface
    servers: tuple[Action, ...] = (UseNameServers(lease.name_servers),)
    if held is None or (held.address, held.prefix) != (lease.address, lease.prefix):
        routes = (SetRoute(name, route) for route in wanted_routes(lease))
        # Name servers first: they are of use even if a route is refused.
        return (ClearAddresses(name), AddAddress(name, lease.address, lease.prefix), *servers, *routes)
    before, after = wanted_routes(held), wanted_routes(lease)
    destinations = {route.destination for route in after}
    dropped = (DropRoute(name, route) for route in reversed(before) if route.destination not in destinations)
    # All are set again, since one may be reached only over another that is new, and that costs nothing.
    again: tuple[Action, ...] = tuple(SetRoute(name, route) for route in after) if before != after else ()
    return (*(servers if held.name_servers != lease.name_servers else ()), *again, *dropped)


def _release(held: Lease | None) -> tuple[Action, ...]:
    """Nothing is taken from an interface that got nothing from us."""
    return (ClearAddresses(held.interface), UseNameServers(())) if held else ()


def _lost(held: Lease | None, why: str) -> str:
    return f"{held.interface}: the address {held.address} is given up: {why}" if held else ""


def _news(held: Lease | None, lease: Lease) -> str:
    notes = []
    if held is not None and held.address != lease.address:
        notes.append(f"the address {held.address} was replaced by {lease.address}")
    if lease.bad_gateways and (held is None or held.bad_gateways != lease.bad_gateways):
        notes.append(f"routes over {', '.join(lease.bad_gateways)} are left out: this is not the address of a host")
    return f"{lease.interface}: {'; '.join(notes)}" if notes else ""
