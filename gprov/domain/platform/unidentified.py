"""Name of a machine that has no serial number, or that no platform matches, towards the factory server."""

from __future__ import annotations

from collections.abc import Iterable

from gprov.domain.unit.nics import Nic, own_nics, sorted_by_mac

# As gprovision has it, whose server marks such machines in its list.
_PREFIX = "UNKNOWN_SN_"
# Random bytes in the name of a machine without interfaces: as many as a MAC has.
TOKEN_BYTES = 6


def unidentified_serial(nics: Iterable[Nic], mac_prefix: str, token: bytes) -> str:
    """``UNKNOWN_SN_0A1B2C3D4E5F`` with the first MAC, so that a machine has one name at all its starts. First is the
    lowest one with the prefix of the branding, or else the lowest one: an adapter of another maker may move from
    machine to machine. ``token``: stands for the MAC if there is no interface."""
    found = tuple(nics)
    first = next(iter((*own_nics(found, (mac_prefix,)), *sorted_by_mac(found))), None)
    return _PREFIX + (first.mac.replace(":", "") if first is not None else token.hex()).upper()


def is_unidentified(serial: str) -> bool:
    """Whether this is the name of a machine that was not identified, and no serial number."""
    return serial.startswith(_PREFIX)
