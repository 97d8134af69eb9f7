"""DHCPDISCOVER and its offers."""

from __future__ import annotations

from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.unit.dhcp_probe import Offer, discover, parse_offer

MAC = bytes.fromhex("567890000001")


def offer(transaction: int, *, kind: int = 2, options: bytes = bytes([54, 4, 10, 0, 0, 1])) -> bytes:
    """As RFC 2131 has it, made by hand."""
    head = bytes([2, 1, 6, 0]) + transaction.to_bytes(4) + bytes(8) + bytes([10, 0, 0, 77]) + bytes(216)
    return head + bytes.fromhex("63825363") + bytes([0, 53, 1, kind]) + options + b"\xff"


def test_a_discover() -> None:
    message = discover(0x01020304, MAC)
    assert message[:12].hex() == "010106000102030400008000"
    assert message[28:34] == MAC
    assert message[236:240].hex() == "63825363"
    assert message[240:243] == bytes([53, 1, 1])
    assert message.endswith(b"\xff")


def test_an_offer() -> None:
    assert parse_offer(offer(7), 7) == Offer(IPv4Address("10.0.0.1"), IPv4Address("10.0.0.77"))


def test_what_is_no_offer() -> None:
    for data in (offer(8), offer(7, kind=5), offer(7, options=b""), offer(7, options=bytes([54, 2, 1, 1])), b"", MAC):
        assert parse_offer(data, 7) is None


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda more: offer(7)[:246] + more))
def test_any_bytes(data: bytes) -> None:
    found = parse_offer(data, 7)
    assert found is None or isinstance(found, Offer)
