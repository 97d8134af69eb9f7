"""Configuration of systemd-networkd that a restore puts on PRIMARY: file name → content.

Formats: systemd.network(5), systemd.link(5), systemd.netdev(5). A link comes up with the keys of systemd 219; old
versions ignore the newer keys.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gprov.domain.unit.nics import Nic

_MAX_ALIAS = 255  # IFALIASZ less the terminating NUL

_LINK = """\
# {alias}, made by factory restore
[Match]
MACAddress={mac}

[Link]
# As without this file: an interface must not change its name because it was given an alias.
NamePolicy=kernel database onboard slot path
Alias={alias}
"""

_NETWORK = """\
# {alias}, made by factory restore
[Match]
MACAddress={mac}
{settings}"""

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
    for position, nic in enumerate(nics):
        if position in diagnostic:
            alias, settings = ("DIAG" if len(diagnostic) == 1 else f"DIAG{position}"), _DIAGNOSTIC
        else:
            alias = names[number] if number < len(names) else f"Port {number + 1}"
            settings = _WAN if number == wan else _LAN
            number += 1
        stem, mac, shown = nic.mac.replace(":", ""), nic.mac.upper(), _one_line(alias)
        files[f"{stem}.link"] = _LINK.format(alias=shown, mac=mac).encode()
        files[f"{stem}.network"] = _NETWORK.format(alias=shown, mac=mac, settings=settings).encode()
    return files


def _one_line(alias: str) -> str:
    """Fit for a comment and for ``Alias=``: printable ASCII on one line, bounded."""
    shown = "".join(character if character.isascii() and character.isprintable() else "?" for character in alias)
    return shown.strip()[:_MAX_ALIAS]
