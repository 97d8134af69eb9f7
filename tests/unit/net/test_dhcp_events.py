"""The state machine of a lease, on a model of the kernel's routing table that refuses what the kernel refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.unit.dhcp import (
    Action,
    AddAddress,
    ClearAddresses,
    DhcpEvent,
    DropRoute,
    SetRoute,
    UseNameServers,
    follow,
    wanted_routes,
)
from gprov.domain.unit.lease import DEFAULT, Lease, Route, lease_from

GIVEN = {"ip": "10.0.2.15", "subnet": "255.255.255.0", "router": "10.0.2.2", "dns": "10.0.2.3"}
LEASE = lease_from("eth0", GIVEN)


@dataclass
class Kernel:
    """One interface. Routes: destination → gateway, "" on the link; that of the address itself is not among them."""

    addresses: list[IPv4Interface] = field(default_factory=list)
    routes: dict[IPv4Network, str] = field(default_factory=dict)
    name_servers: tuple[str, ...] = ()

    def carry_out(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case ClearAddresses():
                    self.addresses, self.routes = [], {}
                case AddAddress(_, address, prefix):
                    assert not self.addresses
                    self.addresses.append(IPv4Interface(f"{address}/{prefix}"))
                case SetRoute(_, route):
                    assert self.accepts(route), f"Nexthop has invalid gateway: {route}, with {self}"
                    self.routes[IPv4Network(route.destination)] = route.gateway
                case DropRoute(_, route):
                    assert self.routes.pop(IPv4Network(route.destination)) == route.gateway
                case UseNameServers(addresses):
                    self.name_servers = addresses

    def accepts(self, route: Route) -> bool:
        near = [address.network for address in self.addresses]
        ends = [end for one in near if one.prefixlen < 31 for end in (one[0], one[-1])]
        if route.gateway and (IPv4Address(route.gateway) in ends or route.gateway.startswith("0.")):
            return False
        near += [network for network, gateway in self.routes.items() if not gateway]
        return bool(self.addresses) and (
            not route.gateway or any(IPv4Address(route.gateway) in network for network in near)
        )


def expected(lease: Lease | None) -> Kernel:
    if lease is None:
        return Kernel()
    routes = {IPv4Network(route.destination): route.gateway for route in wanted_routes(lease)}
    return Kernel([IPv4Interface(f"{lease.address}/{lease.prefix}")], routes, lease.name_servers)


def test_the_first_lease() -> None:
    outcome = follow(None, "eth0", DhcpEvent.BOUND, GIVEN)
    assert (outcome.lease, outcome.note) == (LEASE, "")
    assert outcome.actions == (
        ClearAddresses("eth0"),
        AddAddress("eth0", "10.0.2.15", 24),
        UseNameServers(("10.0.2.3",)),
        SetRoute("eth0", Route(DEFAULT, "10.0.2.2")),
    )


def test_a_renewal_without_news_changes_nothing() -> None:
    outcome = follow(LEASE, "eth0", DhcpEvent.RENEW, GIVEN)
    assert (outcome.lease, outcome.actions, outcome.note) == (LEASE, (), "")


def test_a_renewal_with_another_router_keeps_the_address() -> None:
    outcome = follow(LEASE, "eth0", DhcpEvent.RENEW, GIVEN | {"router": "10.0.2.7"})
    assert outcome.actions == (SetRoute("eth0", Route(DEFAULT, "10.0.2.7")),)
    gone = follow(LEASE, "eth0", DhcpEvent.RENEW, GIVEN | {"router": "", "dns": "10.0.2.4"})
    assert gone.actions == (UseNameServers(("10.0.2.4",)), DropRoute("eth0", Route(DEFAULT, "10.0.2.2")))


def test_a_renewal_with_another_address() -> None:
    outcome = follow(LEASE, "eth0", DhcpEvent.RENEW, GIVEN | {"ip": "10.0.2.99"})
    assert outcome.actions[:2] == (ClearAddresses("eth0"), AddAddress("eth0", "10.0.2.99", 24))
    assert outcome.note == "eth0: the address 10.0.2.15 was replaced by 10.0.2.99"


@pytest.mark.parametrize("event", [DhcpEvent.NAK, DhcpEvent.DECONFIG, DhcpEvent.LEASEFAIL])
def test_an_address_that_was_given_up_is_removed(event: DhcpEvent) -> None:
    outcome = follow(LEASE, "eth0", event, {})
    assert (outcome.lease, outcome.actions) == (None, (ClearAddresses("eth0"), UseNameServers(())))
    assert "eth0: the address 10.0.2.15 is given up: " in outcome.note
    # Nothing is taken from an interface that got nothing from here.
    assert follow(None, "eth0", event, {}).actions == ()


def test_a_renewal_that_cannot_be_used() -> None:
    outcome = follow(LEASE, "eth0", DhcpEvent.RENEW, {"ip": "0.0.0.0", "subnet": "255.0.0.0"})
    assert (outcome.lease, outcome.actions[0]) == (None, ClearAddresses("eth0"))
    assert "no usable address" in outcome.note


def test_gateways_outside_of_the_subnet_come_with_a_route_of_their_own() -> None:
    lease = lease_from("e", GIVEN | {"staticroutes": "0.0.0.0/0 172.16.0.1 10.9.0.0/16 0.0.0.0 1.0.0.0/8 10.9.0.1"})
    assert wanted_routes(lease) == (
        Route("10.9.0.0/16"),
        Route("172.16.0.1/32"),
        Route(DEFAULT, "172.16.0.1"),
        Route("1.0.0.0/8", "10.9.0.1"),
    )


@pytest.mark.parametrize(
    ("named", "left_out", "routes"),
    [
        ({"router": "10.0.2.255 10.0.2.2"}, "10.0.2.255", (Route(DEFAULT, "10.0.2.2"),)),
        ({"router": "10.0.2.255"}, "10.0.2.255", ()),
        (
            {"staticroutes": "0.0.0.0/0 10.0.2.1 10.0.0.0/8 10.0.2.0 11.0.0.0/8 0.1.2.3"},
            "10.0.2.0, 0.1.2.3",
            (Route(DEFAULT, "10.0.2.1"),),
        ),
        ({"staticroutes": "0.0.0.0/0 10.0.2.255"}, "10.0.2.255", (Route(DEFAULT, "10.0.2.2"),)),
    ],
)
def test_routes_over_addresses_of_no_host(named: dict[str, str], left_out: str, routes: tuple[Route, ...]) -> None:
    outcome = follow(None, "eth0", DhcpEvent.BOUND, GIVEN | named)
    assert outcome.lease is not None
    assert outcome.lease.routes == routes
    assert outcome.note == f"eth0: routes over {left_out} are left out: this is not the address of a host"
    assert follow(outcome.lease, "eth0", DhcpEvent.RENEW, GIVEN | named).note == ""


def test_where_the_whole_network_is_two_hosts_both_may_be_gateways() -> None:
    lease = lease_from("e", {"ip": "10.0.2.0", "subnet": "255.255.255.254", "router": "10.0.2.1"})
    assert lease.gateway == "10.0.2.1"


# Few enough values that gateways, destinations and the subnet meet.
near = st.sampled_from(
    [
        "10.0.2.0",
        "10.0.2.255",
        "0.1.2.3",
        "10.0.2.1",
        "10.0.2.15",
        "10.0.3.1",
        "10.9.0.1",
        "172.16.0.1",
        "0.0.0.0",
        "junk",
    ]
)
masks = st.sampled_from([0, 8, 16, 23, 24, 25, 31, 32])
routes = st.lists(st.builds("{}/{} {}".format, near, masks, near), max_size=6).map(" ".join)
environments = st.fixed_dictionaries(
    {
        "ip": st.sampled_from(["10.0.2.15", "10.0.3.1", "10.9.0.1", ""]),
        "subnet": st.sampled_from(["255.255.255.0", "255.255.254.0", "255.255.255.255", "255.0.0.0", ""]),
    },
    optional={"router": near, "dns": near, "staticroutes": routes, "msstaticroutes": routes},
)


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(DhcpEvent), environments), max_size=8))
def test_after_any_events_the_interface_is_as_its_lease_says(
    events: list[tuple[DhcpEvent, Mapping[str, str]]],
) -> None:
    kernel = Kernel()
    held: Lease | None = None
    for event, environment in events:
        outcome = follow(held, "e", event, environment)
        kernel.carry_out(outcome.actions)
        held = outcome.lease
        assert kernel == expected(held)
        assert (held is not None) <= (event in (DhcpEvent.BOUND, DhcpEvent.RENEW))
