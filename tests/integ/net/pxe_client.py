"""Runs inside a network namespace: ask for a start over the network as firmware does, print what was offered.

usage: pxe_client.py INTERFACE ARCHITECTURE [USER-CLASS] [--option-175]

ARCHITECTURE: value of DHCP option 93. Formats: RFC 2131, 2132, 4578; Intel's Preboot Execution Environment 2.1 for
proxyDHCP (offers come from port 67 or 4011; what to load may be said only in the latter's answer to a request).
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import time
from typing import Any

MAC = bytes.fromhex("567890000001")
COOKIE = bytes.fromhex("63825363")
DISCOVER, REQUEST = 1, 3
SECONDS = 6.0


def packet(
    kind: int, architecture: int, user_class: str, own: bool, address: str = "0.0.0.0", extra: bytes = b""
) -> bytes:
    mine, flags = socket.inet_aton(address), 0x8000 if address == "0.0.0.0" else 0
    head = struct.pack("!BBBBIHH4s4s4s4s16s64s128s", 1, 1, 6, 0, 0x1234, 0, flags, mine, *[b""] * 3, MAC, b"", b"")
    options = bytes([53, 1, kind]) + bytes([93, 2]) + struct.pack("!H", architecture) + bytes([94, 3, 1, 2, 1])
    options += bytes([97, 17, 0]) + bytes(range(16)) + bytes([55, 5, 1, 3, 43, 66, 67])
    vendor = f"PXEClient:Arch:{architecture:05}:UNDI:002001".encode()
    options += bytes([60, len(vendor)]) + vendor
    if user_class:
        options += bytes([77, len(user_class)]) + user_class.encode()
    if own:
        options += bytes([175, 3, 177, 1, 1])
    return head + COOKIE + options + extra + b"\xff"


def tagged(rest: bytes) -> dict[int, bytes]:
    """Options, or the encapsulated ones of option 43."""
    found: dict[int, bytes] = {}
    while rest and rest[0] != 255:
        if rest[0] == 0:
            rest = rest[1:]
            continue
        found[rest[0]] = found.get(rest[0], b"") + rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]
    return found


def parsed(raw: bytes) -> dict[str, Any]:
    options = tagged(raw[240:])
    # Sub-option 9 is the menu of boot servers; each entry begins with the type to ask for.
    menu = tagged(options.get(43, b"")).get(9, b"")
    return {
        "offer": options.get(53) == b"\2",
        "address": socket.inet_ntoa(raw[16:20]),
        "next": socket.inet_ntoa(raw[20:24]),
        "server": socket.inet_ntoa(options.get(54, bytes(4))),
        "file": options.get(67, raw[108:236]).rstrip(b"\0").decode(),
        "menu": list(menu[:2]),
        "router": 3 in options,
    }


def main(interface: str, architecture: str, *words: str) -> None:
    own = "--option-175" in words
    user_class = next((word for word in words if not word.startswith("--")), "")
    ask = (int(architecture), user_class, own)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sock.bind(("", 68))
        sock.settimeout(0.5)
        replies: list[dict[str, Any]] = []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not replies:
            sock.sendto(packet(DISCOVER, *ask), ("255.255.255.255", 67))
            replies += collect(sock)
        leased = [str(reply["address"]) for reply in replies if reply["address"] != "0.0.0.0"]
        for proxy in [reply for reply in replies if reply["address"] == "0.0.0.0" and not reply["file"]]:
            # BIOS asks the boot server for the menu's first choice (option 43.71), UEFI just asks.
            choice = bytes([43, 7, 71, 4, *proxy["menu"], 0, 0, 255]) if proxy["menu"] else b""
            if choice or proxy["next"] != "0.0.0.0":
                subprocess.run(["ip", "addr", "add", f"{leased[0]}/24", "dev", interface], check=True, timeout=20)
                sock.sendto(packet(REQUEST, *ask, leased[0], choice), (str(proxy["server"]), 4011))
                replies += collect(sock)
    print(json.dumps(replies))


def collect(sock: socket.socket) -> list[dict[str, Any]]:
    """Everything that comes within a moment."""
    found = []
    try:
        while True:
            found.append(parsed(sock.recv(4096)))
    except TimeoutError:
        return found


if __name__ == "__main__":
    main(*sys.argv[1:])
