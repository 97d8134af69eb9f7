from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.net.lease import DhcpReport, resolver_configuration, take_events
from gprov.domain.errors import BadInput
from gprov.domain.unit.dhcp import DhcpEvent
from gprov.domain.unit.lease import DEFAULT, MOST_ROUTES, Lease, Route, lease_from

GIVEN = {"ip": "10.0.2.15", "subnet": "255.255.255.0", "router": "10.0.2.2 10.0.2.9", "dns": "10.0.2.3 bad 1.1.1.1"}
VIA = Route(DEFAULT, "10.0.2.2")


def routes(**environment: str) -> tuple[Route, ...]:
    return lease_from("e", GIVEN | environment).routes


def test_a_lease() -> None:
    lease = lease_from("eth0", GIVEN)
    assert lease == Lease(
        interface="eth0", address="10.0.2.15", prefix=24, routes=(VIA,), name_servers=("10.0.2.3", "1.1.1.1")
    )
    assert (lease.gateway, str(lease.network)) == ("10.0.2.2", "10.0.2.0/24")
    host = lease_from("e", {"ip": "10.0.2.15", "subnet": "255.255.255.255"})
    assert host == Lease(interface="e", address="10.0.2.15", prefix=32)


@pytest.mark.parametrize(
    "environment",
    [
        {}, {"subnet": "255.255.255.0"}, {"ip": "0.0.0.0", "subnet": "255.255.255.0"},
        {"ip": "224.0.0.1", "subnet": "255.0.0.0"}, {"ip": "10.0.0.1", "subnet": "24"}, {"ip": "10.0.0.1"},
        {"ip": "10.0.0.1", "subnet": "255.0.255.0"}, {"ip": "10.0.0.1", "subnet": "0.0.0.0"},
        {"ip": "::1", "subnet": "255.0.0.0"},
    ],
)  # fmt: skip
def test_nonsense_from_a_server(environment: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        lease_from("eth0", environment)


def test_classless_routes_replace_the_routers() -> None:
    """RFC 3442: a client that understands option 121 must ignore routers if both are there."""
    both = "0.0.0.0/0 10.0.2.7 172.16.0.0/12 10.0.2.8"
    assert routes(staticroutes=both) == (Route(DEFAULT, "10.0.2.7"), Route("172.16.0.0/12", "10.0.2.8"))
    assert routes(staticroutes="172.16.0.0/12 10.0.2.8") == (Route("172.16.0.0/12", "10.0.2.8"),)
    assert routes(msstaticroutes="172.16.0.0/12 10.0.2.8") == (Route("172.16.0.0/12", "10.0.2.8"),)
    assert routes(staticroutes="1.0.0.0/8 10.0.2.8", msstaticroutes="2.0.0.0/8 10.0.2.8") == (
        Route("1.0.0.0/8", "10.0.2.8"),
    )


@pytest.mark.parametrize("words", ["", "x", "10.0.0.0/8", "10.0.0.0/33 10.0.2.1", "10.0.0.0/8 x", "10.0.0.0 10.0.2.1"])
def test_routes_that_are_none_count_as_absent(words: str) -> None:
    assert routes(staticroutes=words) == (VIA,)


def test_destinations() -> None:
    # RFC 3442: the bits behind the mask are cleared; the first of two routes to one destination counts.
    assert routes(staticroutes="10.1.2.3/8 10.0.2.1 10.0.0.0/8 10.0.2.9") == (Route("10.0.0.0/8", "10.0.2.1"),)
    assert routes(staticroutes="127.0.0.0/8 10.0.2.1 224.0.0.0/4 10.0.2.1 10.0.0.0/255.0.0.0 10.0.2.1") == (VIA,)
    # On the link: 0.0.0.0, or the unit itself.
    assert routes(staticroutes="10.9.0.0/16 0.0.0.0 10.8.0.0/16 10.0.2.15") == (
        Route("10.9.0.0/16"),
        Route("10.8.0.0/16"),
    )
    # The interface has this one already, and it must not go through anything else.
    assert routes(staticroutes="10.0.2.0/24 10.0.2.9 0.0.0.0/0 10.0.2.2") == (VIA,)


def test_routes_are_bounded() -> None:
    many = " ".join(f"{number >> 8}.{number & 255}.0.0/16 10.0.2.1" for number in range(256, 256 + 3 * MOST_ROUTES))
    assert len(routes(staticroutes=many)) == MOST_ROUTES


words = st.lists(
    st.one_of(
        st.ip_addresses(v=4).map(str),
        st.builds("{}/{}".format, st.ip_addresses(v=4), st.integers(0, 34)),
        st.text("0123456789./ x-", max_size=20),
    ),
    max_size=20,
).map(" ".join)


@settings(max_examples=300)
@given(words, words, words)
def test_whatever_a_server_says(classless: str, microsoft: str, routers: str) -> None:
    lease = lease_from("e", GIVEN | {"staticroutes": classless, "msstaticroutes": microsoft, "router": routers})
    networks = [IPv4Network(route.destination) for route in lease.routes]
    assert len(set(networks)) == len(networks)
    assert lease.network not in networks
    assert not [route for route in lease.routes if route.gateway in (lease.address, "0.0.0.0")]


BOUND = b"event=bound\nip=10.0.2.15\nsubnet=255.255.255.0\nrouter=\nstaticroutes=\nend\n"
TOLD = DhcpReport(DhcpEvent.BOUND, {"ip": "10.0.2.15", "subnet": "255.255.255.0"})


@pytest.mark.parametrize("cut", range(len(BOUND)))
def test_events_come_in_pieces(cut: int) -> None:
    assert take_events(BOUND[:cut]) == ([], BOUND[:cut])
    assert take_events(BOUND + BOUND[:cut]) == ([TOLD], BOUND[:cut])


def test_several_events_at_once() -> None:
    events, rest = take_events(b"event=deconfig\nend\n" + BOUND + b"event=nak\nend\nevent=leasefail\nend\n")
    assert [one.event for one in events] == [DhcpEvent.DECONFIG, DhcpEvent.BOUND, DhcpEvent.NAK, DhcpEvent.LEASEFAIL]
    assert (events[1], rest) == (TOLD, b"")


def test_what_is_no_event_is_left_out() -> None:
    assert take_events(b"end\nip=1\nend\nevent=later\nend\n" + BOUND) == ([TOLD], b"")
    assert take_events(b"x" * 70_000) == ([], b"")


@settings(max_examples=200)
@given(st.binary(max_size=100))
def test_any_bytes(received: bytes) -> None:
    events, rest = take_events(received + b"\nend\n" + BOUND)
    assert (events[-1], rest) == (TOLD, b"")


def test_resolver_configuration() -> None:
    assert resolver_configuration(("1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4")).splitlines() == [
        b"nameserver 1.1.1.1",
        b"nameserver 2.2.2.2",
        b"nameserver 3.3.3.3",
        b"options timeout:2 attempts:2",
    ]
    assert b"nameserver" not in resolver_configuration(())
