"""What udhcpc tells its script about a lease, and how the script hands it on."""

from __future__ import annotations

import ipaddress

from gprov.domain.errors import BadInput, Problem
from gprov.ports.network import Lease

LEASE_VARIABLE = "GPROV_LEASE"
_END = "end"

# Nothing but builtins of the shell, and no configuring: several clients run at once and only one may win. udhcpc puts
# the lease into the environment; what a server sent is only ever expanded inside double quotes.
_SCRIPT = """\
#!{shell}
[ "$1" = bound ] || exit 0
umask 077
printf '%s\\n' "ip=$ip" "subnet=$subnet" "router=$router" "dns=$dns" end >"${variable}"
"""


def script(shell: str) -> bytes:
    """A program for ``udhcpc -s``. ``shell``: absolute path, with an argument if need be ("/bin/busybox sh")."""
    return _SCRIPT.format(shell=shell, variable=LEASE_VARIABLE).encode()


def parse_lease(interface: str, text: bytes) -> Lease | None:
    """None while the script is still writing. Raises BadInput if the server sent nonsense.

    Of the addresses that a server lists, those that are none are left out.
    """
    lines = text.decode("utf-8", "replace").split("\n")
    if lines[-2:] != [_END, ""]:
        return None
    values: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition("=")
        values.setdefault(key, value.strip())
    address = _addresses(values.get("ip", ""))
    prefix = _prefix(values.get("subnet", ""))
    if not address or prefix is None:
        message = "no usable address" if not address else "no usable network mask"
        raise BadInput(f"DHCP lease of {interface}", [Problem("", message)])
    gateways = _addresses(values.get("router", ""))
    return Lease(
        interface=interface,
        address=address[0],
        prefix=prefix,
        gateway=gateways[0] if gateways else "",
        name_servers=_addresses(values.get("dns", "")),
    )


def resolver_configuration(name_servers: tuple[str, ...]) -> bytes:
    """Content of resolv.conf(5): glibc looks at three servers, and by default waits too long for each."""
    lines = [f"nameserver {address}" for address in name_servers[:3]]
    return "\n".join([*lines, "options timeout:2 attempts:2", ""]).encode()


def _addresses(text: str) -> tuple[str, ...]:
    found = []
    for word in text.split():
        try:
            address = ipaddress.IPv4Address(word)
        except ValueError:
            continue
        if not (address.is_unspecified or address.is_multicast or address.is_loopback or int(address) == 0xFFFFFFFF):
            found.append(str(address))
    return tuple(dict.fromkeys(found))


def _prefix(mask: str) -> int | None:
    try:
        prefix = ipaddress.IPv4Network(f"0.0.0.0/{mask}").prefixlen if mask.count(".") == 3 else 0
    except ValueError:
        return None
    return prefix or None
