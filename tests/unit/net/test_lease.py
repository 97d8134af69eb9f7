from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.net.lease import parse_lease, resolver_configuration
from gprov.domain.errors import BadInput
from gprov.ports.network import Lease

WHOLE = b"ip=10.0.2.15\nsubnet=255.255.255.0\nrouter=10.0.2.2 10.0.2.9\ndns=10.0.2.3 bad 10.0.2.3 1.1.1.1\nend\n"


def test_a_lease() -> None:
    assert parse_lease("eth0", WHOLE) == Lease(
        interface="eth0", address="10.0.2.15", prefix=24, gateway="10.0.2.2", name_servers=("10.0.2.3", "1.1.1.1")
    )
    assert parse_lease("e", b"ip=10.0.2.15\nsubnet=255.255.255.255\nrouter=\ndns=\nend\n") == Lease(
        interface="e", address="10.0.2.15", prefix=32
    )


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_half_a_lease_is_none_yet(length: int) -> None:
    assert parse_lease("eth0", WHOLE[:length]) is None


@pytest.mark.parametrize(
    "text",
    [
        b"end\n", b"ip=\nsubnet=255.255.255.0\nend\n", b"ip=0.0.0.0\nsubnet=255.255.255.0\nend\n",
        b"ip=224.0.0.1\nsubnet=255.0.0.0\nend\n", b"ip=10.0.0.1\nsubnet=\nend\n", b"ip=10.0.0.1\nsubnet=24\nend\n",
        b"ip=10.0.0.1\nsubnet=255.0.255.0\nend\n", b"ip=10.0.0.1\nsubnet=0.0.0.0\nend\n",
        b"ip=::1\nsubnet=255.0.0.0\nend\n",
    ],
)  # fmt: skip
def test_nonsense_from_a_server(text: bytes) -> None:
    with pytest.raises(BadInput):
        parse_lease("eth0", text)


@settings(max_examples=150)
@given(st.binary(max_size=100).map(lambda middle: b"ip=10.0.0.1\nsubnet=255.0.0.0\n" + middle + b"\nend\n"))
def test_any_further_lines(text: bytes) -> None:
    lease = parse_lease("eth0", text)
    assert lease is not None
    assert (lease.address, lease.prefix) == ("10.0.0.1", 8)


def test_resolver_configuration() -> None:
    assert resolver_configuration(("1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4")).splitlines() == [
        b"nameserver 1.1.1.1",
        b"nameserver 2.2.2.2",
        b"nameserver 3.3.3.3",
        b"options timeout:2 attempts:2",
    ]
    assert b"nameserver" not in resolver_configuration(())
