"""The record of what an erase left at both ends of its disks, on the mounted RECOVERY."""

from __future__ import annotations

from collections.abc import Sequence

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk
from gprov.domain.erase.left_ends import MAX_BYTES, DiskEnds, disk_ends, ends_digest, parse_ends, serialise_ends
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.recovery_files import ERASE_LEFT_FILE
from gprov.ports.drives import DiskReader
from gprov.ports.files import Files


def write_ends(disks: Sequence[Disk], reader: DiskReader, files: Files, folder: str, bus: EventBus) -> None:
    """After the erase. ``folder``: the log folder on RECOVERY. Without this record the next start only waits longer: a
    failure is a warning."""
    try:
        ends = [
            DiskEnds(
                disk.identity,
                disk.size,
                ends_digest(b"".join(reader.read(disk, extent) for extent in disk_ends(disk.size))),
            )
            for disk in disks
        ]
        files.replace(f"{folder}/{ERASE_LEFT_FILE}", serialise_ends(ends))
    except DeviceFault as fault:
        bus.warning(f"the next start waits for a root volume before it restores: {fault}")


def read_ends(files: Files, folder: str, bus: EventBus) -> tuple[DiskEnds, ...]:
    """() if there is none, or if it cannot be read. Never raises."""
    path = f"{folder}/{ERASE_LEFT_FILE}"
    try:
        return parse_ends(path, files.read(path, MAX_BYTES)) if files.status(path) is not None else ()
    except (BadInput, DeviceFault) as error:
        bus.warning(f"the record of what an erase left on the disks is not used: {error}")
        return ()
