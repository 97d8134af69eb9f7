"""Configuration of systemd-networkd that a restore puts on PRIMARY: file name → content.

Formats: systemd.network(5), systemd.link(5), systemd.netdev(5). A link comes up with the keys of systemd 219; old
versions ignore the newer keys.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from gprov.domain.unit.nics import Nic, sharing

_MAX_ALIAS = 255  # IFALIASZ less the terminating NUL

_LINK = """\
# {alias}, made by factory restore
[Match]
{match}
[Link]
{name}
Alias={alias}
"""

_USUAL_NAME = """\
# As without this file: an interface must not change its name because it was given an alias.
NamePolicy=kernel database onboard slot path"""

_NETWORK = """\
# {alias}, made by factory restore
[Match]
{match}{settings}"""

_WAN = """
[Network]
DHCP=yes
LLMNR=no
"""

# The default route of the WAN port (metric 1024) wins, and a port without a cable does not hold up the boot.
_LAN = """
[Link]
RequiredForOnline=no

[Network]
DHCP=yes
LLMNR=no

[DHCPv4]
RouteMetric=2048

[IPv6AcceptRA]
RouteMetric=2048
"""

# Reserved for diagnosis: never configured.
_DIAGNOSTIC = """
[Link]
RequiredForOnline=no

[Network]
DHCP=no
LinkLocalAddressing=no
LLMNR=no
IPv6AcceptRA=no
"""


def default_files(
    nics: Sequence[Nic], *, diagnostic: Collection[int] = (), wan: int = 0, names: Sequence[str] = ()
) -> dict[str, bytes]:
    """Files for ports in the platform's order (by MAC).

    ``diagnostic``: positions of the ports that are reserved for diagnosis. ``wan`` and ``names`` (aliases, for
    people) count the other ports only. A port for which there is no name is called after its number.
    """
    files: dict[str, bytes] = {}
    number = 0
    shared = {nic: group for group in sharing(nics) for nic in group}
    for position, nic in enumerate(nics):
        if position in diagnostic:
            alias, settings = ("DIAG" if len(diagnostic) == 1 else f"DIAG{position}"), _DIAGNOSTIC
        else:
            alias = names[number] if number < len(names) else f"Port {number + 1}"
            settings = _WAN if number == wan else _LAN
            number += 1
        told = _told(nic, shared.get(nic, ()))
        # More than one port with that MAC: a name of its own for the files of each.
        stem = nic.mac.replace(":", "") + (f"-{position + 1}" if nic in shared else "")
        shown = _one_line(alias)
        files[f"{stem}.link"] = _LINK.format(alias=shown, match=told.link, name=told.name).encode()
        files[f"{stem}.network"] = _NETWORK.format(alias=shown, match=told.network, settings=settings).encode()
    return files


class _Told(NamedTuple):
    """How an interface is told from all others: the lines of [Match] in .link and .network, and what names it."""

    link: str
    network: str
    name: str = _USUAL_NAME


def _told(nic: Nic, group: Sequence[Nic]) -> _Told:
    """``group``: all ports that have this one's MAC, if there are others."""
    mac = f"MACAddress={nic.mac.upper()}\n"
    if not group:
        return _Told(mac, mac)
    paths = [one.path for one in group]
    if nic.path and paths.count(nic.path) == 1:
        place = f"{mac}Path={nic.path}\n"
        return _Told(place, place)
    # Ports of one switch chip: their names are fixed in its description, and must then stay what they are.
    return _Told(f"{mac}OriginalName={nic.name}\n", f"{mac}Name={nic.name}\n", f"Name={nic.name}")


def _one_line(alias: str) -> str:
    """Fit for a comment and for ``Alias=``: printable ASCII on one line, bounded."""
    shown = "".join(character if character.isascii() and character.isprintable() else "?" for character in alias)
    return shown.strip()[:_MAX_ALIAS]
