"""A DHCP lease as values, out of the variables that a DHCP client has for it.

Sources: RFC 2132 (address, mask, routers, name servers), RFC 3442 (classless static routes, option 121: if they are
there, routers are ignored, and 0.0.0.0 stands for a destination on the link), [MS-DHCPE] (option 249: the same under
another number).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network

from gprov.domain.errors import BadInput, Problem

DEFAULT = "0.0.0.0/0"
_ON_LINK = DEFAULT.partition("/")[0]
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
# More routes than any server has, and few enough to be set one by one.
MOST_ROUTES = 128


@dataclass(frozen=True, slots=True)
class Route:
    """``destination``: network with mask length ("10.0.0.0/8"). ``gateway``: "" if it is on the link."""

    destination: str
    gateway: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A configured interface. Addresses are text; ``prefix`` is the length of the network mask in bits. ``routes`` are
    those that the server named, without the one of the interface's own network; no destination is there twice.
    ``bad_gateways``: those that the server named, but that cannot be the address of a host; their routes are left
    out."""

    interface: str
    address: str
    prefix: int
    routes: tuple[Route, ...] = ()
    name_servers: tuple[str, ...] = ()
    bad_gateways: tuple[str, ...] = ()

    @property
    def network(self) -> IPv4Network:
        """What the interface reaches without any route."""
        return IPv4Network(f"{self.address}/{self.prefix}", strict=False)

    @property
    def gateway(self) -> str:
        """Of the default route; "" if there is none, or it is on the link."""
        return next((route.gateway for route in self.routes if route.destination == DEFAULT), "")


def lease_from(interface: str, environment: Mapping[str, str]) -> Lease:
    """``environment``: ip, subnet, router, dns, staticroutes and msstaticroutes as busybox' udhcpc names and writes
    them.

    Raises BadInput if there is no usable address or mask. Of the addresses and routes that a server lists, those that
    are none are left out; a list of routes without a single usable one counts as absent.
    """
    address = addresses(environment.get("ip", ""))
    prefix = _prefix(environment.get("subnet", ""))
    if not address or prefix is None:
        message = "no usable address" if not address else "no usable network mask"
        raise BadInput(f"DHCP lease of {interface}", [Problem("", message)])
    name_servers = addresses(environment.get("dns", ""))
    lease = Lease(interface=interface, address=address[0], prefix=prefix, name_servers=name_servers)
    named = (
        _classless(environment.get("staticroutes", "")),
        _classless(environment.get("msstaticroutes", "")),
        tuple(Route(DEFAULT, gateway) for gateway in addresses(environment.get("router", ""))),
    )
    bad = {route.gateway: None for routes in named for route in routes if not _may_be_gateway(route, lease.network)}
    usable = [tuple(route for route in routes if route.gateway not in bad) for routes in named]
    routes = usable[0] or usable[1] or usable[2][:1]
    # A host that is its own gateway (as old servers say it) has the destination on its link.
    near = tuple(Route(route.destination) if route.gateway == lease.address else route for route in routes)
    kept = tuple(route for route in near if route.destination != str(lease.network))
    return replace(lease, routes=kept[:MOST_ROUTES], bad_gateways=tuple(bad))


def addresses(text: str) -> tuple[str, ...]:
    """The words that are addresses of single hosts, each once."""
    found = []
    for word in text.split():
        try:
            address = IPv4Address(word)
        except ValueError:
            continue
        if not (address.is_unspecified or address.is_multicast or address.is_loopback or int(address) == 0xFFFFFFFF):
            found.append(str(address))
    return tuple(dict.fromkeys(found))


def _may_be_gateway(route: Route, network: IPv4Network) -> bool:
    """Linux refuses gateways that it takes for broadcast addresses (``fib_check_nh``, ``inet_addr_type``)."""
    if not route.gateway:
        return True
    address = IPv4Address(route.gateway)
    ends = (network.network_address, network.broadcast_address) if network.prefixlen < 31 else ()
    return address not in ends and address not in _THIS_NETWORK


def _classless(text: str) -> tuple[Route, ...]:
    """Pairs of destination and gateway; of two for one destination, the first."""
    words = text.split()
    found: dict[str, Route] = {}
    for destination, gateway in zip(words[::2], words[1::2], strict=False):
        network = _destination(destination)
        if network and (gateway == _ON_LINK or addresses(gateway)):
            found.setdefault(network, Route(network, "" if gateway == _ON_LINK else gateway))
    return tuple(found.values())


def _destination(text: str) -> str:
    """Bits behind the mask are cleared, as RFC 3442 wants it. "" for what is no destination of unicast packets."""
    try:
        # A mask must be a length: IPv4Network takes dotted masks too.
        network = IPv4Network(text, strict=False) if text.partition("/")[2].isdecimal() else None
    except ValueError:
        return ""
    if network is None or network.is_loopback or network.is_multicast:
        return ""
    return str(network)


def _prefix(mask: str) -> int | None:
    try:
        prefix = IPv4Network(f"0.0.0.0/{mask}").prefixlen if mask.count(".") == 3 else 0
    except ValueError:
        return None
    return prefix or None
