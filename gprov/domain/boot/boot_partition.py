"""Determines the partition and the file from which the firmware loaded this kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gprov.domain.disk.model import Disk
from gprov.domain.errors import BadInput
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.efi.boot_variables import BOOT_CURRENT, entry_name, numbers_in
from gprov.domain.formats.efi.device_nodes import DevicePath, FilePath, HardDrive
from gprov.domain.formats.efi.load_option import parse_load_option
from gprov.domain.formats.efi.variables import Variable


def booted_partition_guid(variables: Mapping[str, Variable]) -> str:
    """Return the GUID, in lower case, of the partition that the current boot entry names; "" if it is not known.

    ``variables``: BootCurrent and the entries. The partition is unknown after a boot by BIOS or over the network, by
    an entry that the firmware generated for a whole device, or by an entry that no longer exists.
    """
    return next((node.guid for node in _current_path(variables) if isinstance(node, HardDrive)), "")


def started_file(variables: Mapping[str, Variable]) -> str:
    """Path of the file that the firmware started this boot from, with "/" and in lower case, as FAT compares it. Empty
    if no entry says so. ``variables``: BootCurrent and the entries."""
    nodes = (node.path for node in _current_path(variables) if isinstance(node, FilePath))
    return "".join(nodes).replace("\\", "/").lower()


def _current_path(variables: Mapping[str, Variable]) -> DevicePath:
    """Device path of the current boot entry; empty if it is not known."""
    current = numbers_in(variables, BOOT_CURRENT)
    entry = variables.get(entry_name(current[0])) if len(current) == 1 else None
    if entry is None:
        return ()
    try:
        return parse_load_option(entry.data).path
    except BadInput:
        return ()


def find_partition(disks: Iterable[Disk], guid: str) -> DeviceNumber | None:
    """Return the device number of the only partition with this GUID. None if none or several (cloned disks) have it."""
    found = [part.device for disk in disks for part in disk.partitions if guid and part.uuid.lower() == guid]
    return found[0] if len(found) == 1 else None
