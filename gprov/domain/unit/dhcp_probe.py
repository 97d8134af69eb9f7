"""A DHCP DISCOVER that takes no lease, and the offers that answer it (RFC 2131, section 2; RFC 2132). Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

_HEAD = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_COOKIE = b"\x63\x82\x53\x63"
_REQUEST, _REPLY, _ETHERNET, _BROADCAST = 1, 2, 1, 0x8000
_PAD, _TYPE, _SERVER, _CLASS, _END = 0, 53, 54, 60, 255
_DISCOVER, _OFFER = 1, 2
_NOTHING = bytes(4)
_VENDOR = b"gprov-check"


@dataclass(frozen=True, slots=True)
class Offer:
    """``server``: identifier of the DHCP server; ``address``: that it would lease, 0.0.0.0 for none (proxyDHCP)."""

    server: IPv4Address
    address: IPv4Address


def discover(transaction: int, mac: bytes) -> bytes:
    """``transaction``: 32 bits; ``mac``: 6 bytes. The answer is to be broadcast: the interface may have no address."""
    head = _HEAD.pack(
        _REQUEST,
        _ETHERNET,
        len(mac),
        0,
        transaction,
        0,
        _BROADCAST,
        _NOTHING,
        _NOTHING,
        _NOTHING,
        _NOTHING,
        mac,
        b"",
        b"",
    )
    options = bytes([_TYPE, 1, _DISCOVER, _CLASS, len(_VENDOR)]) + _VENDOR + bytes([_END])
    return head + _COOKIE + options


def parse_offer(data: bytes, transaction: int) -> Offer | None:
    """None for anything but an offer in this transaction."""
    if len(data) < _HEAD.size + len(_COOKIE) or data[_HEAD.size : _HEAD.size + len(_COOKIE)] != _COOKIE:
        return None
    fields = _HEAD.unpack_from(data)
    options = _options(data[_HEAD.size + len(_COOKIE) :])
    server = options.get(_SERVER, b"")
    if (fields[0], fields[4]) != (_REPLY, transaction) or options.get(_TYPE) != bytes([_OFFER]) or len(server) != 4:
        return None
    return Offer(IPv4Address(server), IPv4Address(fields[8]))


def _options(data: bytes) -> dict[int, bytes]:
    """What is cut off is left out."""
    found: dict[int, bytes] = {}
    place = 0
    while place < len(data) and data[place] != _END:
        if data[place] == _PAD:
            place += 1
            continue
        length = data[place + 1] if place + 1 < len(data) else 0
        found.setdefault(data[place], data[place + 2 : place + 2 + length])
        place += 2 + length
    return found
