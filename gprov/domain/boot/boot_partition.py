"""Which partition did the firmware load this kernel from? Only some starts tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gprov.domain.disk.model import Disk
from gprov.domain.errors import BadInput
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.efi.boot_variables import BOOT_CURRENT, entry_name, numbers_in
from gprov.domain.formats.efi.device_nodes import HardDrive
from gprov.domain.formats.efi.load_option import parse_load_option
from gprov.domain.formats.efi.variables import Variable


def booted_partition_guid(variables: Mapping[str, Variable]) -> str:
    """GUID, in lower case, of the partition that the started boot entry names; "" if that is not known.

    ``variables``: BootCurrent and the entries. Not known: a start by BIOS, over the network, by an entry that the
    firmware made up for a whole device, or by none that is there any more.
    """
    current = numbers_in(variables, BOOT_CURRENT)
    entry = variables.get(entry_name(current[0])) if len(current) == 1 else None
    if entry is None:
        return ""
    try:
        path = parse_load_option(entry.data).path
    except BadInput:
        return ""
    return next((node.guid for node in path if isinstance(node, HardDrive)), "")


def find_partition(disks: Iterable[Disk], guid: str) -> DeviceNumber | None:
    """The partition with this GUID. None if there is none, or more than one (a cloned disk): then nobody knows."""
    found = [part.device for disk in disks for part in disk.partitions if guid and part.uuid.lower() == guid]
    return found[0] if len(found) == 1 else None
