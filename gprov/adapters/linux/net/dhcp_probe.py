"""Asks a network which DHCP servers it has, without taking a lease. Needs root."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from contextlib import closing

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.unit.dhcp_probe import Offer, discover, parse_offer
from gprov.ports.clock import Clock, Deadline

_CLIENT_PORT, _SERVER_PORT = 68, 67
_LONGEST = 4096
_HARDWARE_ADDRESS = 0x8927  # SIOCGIFHWADDR
_MAC_SIZE = 6


def offers(interface: str, clock: Clock, seconds: float) -> tuple[Offer, ...]:
    """Offers that came within ``seconds``, one for each server. Raises DeviceFault."""
    transaction = int.from_bytes(os.urandom(4))
    found: dict[object, Offer] = {}
    try:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
            sock.bind(("", _CLIENT_PORT))
            sock.sendto(discover(transaction, _mac(sock, interface)), ("255.255.255.255", _SERVER_PORT))
            deadline = Deadline(clock, seconds)
            while not deadline.passed:
                sock.settimeout(max(0.01, deadline.remaining))
                try:
                    data = sock.recv(_LONGEST)
                except TimeoutError:
                    break
                offer = parse_offer(data, transaction)
                if offer is not None:
                    found.setdefault(offer.server, offer)
    except OSError as exc:
        raise fault_from_oserror(interface, "cannot ask for DHCP servers", exc) from exc
    return tuple(found.values())


def _mac(sock: socket.socket, interface: str) -> bytes:
    """netdevice(7): ifr_name, then sa_family and the address of ifr_hwaddr."""
    request = struct.pack("16sH14s", interface.encode(), 0, b"")
    address: bytes = struct.unpack("16sH14s", fcntl.ioctl(sock, _HARDWARE_ADDRESS, request))[2]
    return address[:_MAC_SIZE]
