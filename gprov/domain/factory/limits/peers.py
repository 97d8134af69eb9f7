"""Which clients count as one."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

_IPV6_PREFIX = 64


def peer_group(address: str) -> str:
    """The name under which an address is counted: an IPv4 address itself; of an IPv6 address its /64, since one host
    may take any address of its network. An IPv4 address that is mapped into IPv6 counts as itself. A text that is no
    address is counted as it is, cut to 64 characters."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, _IPV6_PREFIX), strict=False))
    return str(parsed)
