"""Network interfaces: the unit's own ones, their order, and the names of their ports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

# In a list of MAC prefixes: matches every interface.
ANY_MAC = "*"
_PREFIX = re.compile(r"[0-9a-f]{1,2}(:[0-9a-f]{1,2}){0,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nic:
    """One Ethernet interface. ``mac`` in lower case with colons; ``carrier``: a link was seen when it was up. ``path``:
    where it sits, as udev's ID_PATH says ("pci-0000:03:00.0"); "" if that is not known.

    A MAC need not be unique: the ports of a switch chip may share one, and makers repeat them.
    """

    name: str
    mac: str
    driver: str = ""
    carrier: bool = False
    path: str = ""


@dataclass(frozen=True, slots=True)
class NicInfo:
    """Ports of a platform: its own interfaces, sorted by MAC.

    ``diag_ports``: indexes of ports that are shared with diagnostics and not used. ``wan_index`` and ``names`` count
    the other ports. ``mac_prefixes``: as returned by ``mac_prefix``; empty for the branding's prefix, ``("*",)`` for
    any.
    """

    diag_ports: tuple[int, ...] = ()
    wan_index: int = 0
    names: tuple[str, ...] = ()
    mac_prefixes: tuple[str, ...] = ()


def mac_prefix(text: str) -> str | None:
    """Normalise a MAC prefix of 1 to 6 octets ("56:78:9", "A0:B1:C2:") to lower case with two digits each; None if it
    is malformed."""
    plain = text.strip().strip(":").lower()
    if not _PREFIX.fullmatch(plain):
        return None
    return ":".join(octet.zfill(2) for octet in plain.split(":"))


def sorted_by_mac(nics: Iterable[Nic]) -> tuple[Nic, ...]:
    """By MAC, ascending: the order in which a maker numbers the sockets, whatever the kernel calls them. Ports with one
    MAC by their place, then by name, lan2 before lan10."""
    return tuple(sorted(nics, key=lambda nic: (nic.mac.lower(), natural(nic.path), natural(nic.name))))


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """For sorting by the numbers in a name."""
    return tuple((text, int(digits or 0)) for text, digits in re.findall(r"([^0-9]*)([0-9]*)", name))


def sharing(nics: Iterable[Nic]) -> tuple[tuple[Nic, ...], ...]:
    """Groups of two and more interfaces that have one MAC."""
    groups: dict[str, list[Nic]] = {}
    for nic in nics:
        groups.setdefault(nic.mac.lower(), []).append(nic)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def own_nics(nics: Iterable[Nic], prefixes: Sequence[str]) -> tuple[Nic, ...]:
    """Interfaces whose MAC begins with one of the prefixes (whole octets), sorted by MAC. ``"*"`` matches all."""
    if ANY_MAC in prefixes:
        return sorted_by_mac(nics)
    starts = tuple(f"{prefix.lower().rstrip(':')}:" for prefix in prefixes)
    return sorted_by_mac(nic for nic in nics if f"{nic.mac.lower()}:".startswith(starts))


def usable_nics(nics: Iterable[Nic], nic_info: NicInfo, default_prefix: str) -> tuple[Nic, ...]:
    """The platform's own interfaces, sorted by MAC, without those that are shared with diagnostics."""
    own = own_nics(nics, nic_info.mac_prefixes or (default_prefix,))
    return tuple(nic for index, nic in enumerate(own) if index not in nic_info.diag_ports)


def macs_consecutive(nics: Iterable[Nic]) -> bool:
    """Whether the MACs are consecutive numbers, without gap or repetition. True for fewer than two interfaces."""
    macs = [nic.mac.replace(":", "") for nic in sorted_by_mac(nics)]
    try:
        numbers = [int(mac, 16) for mac in macs]
    except ValueError:
        return False
    return all(after - before == 1 for before, after in pairwise(numbers))
