"""Keeps the metadata of the host's firmware RAID over the erase of a disk."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.raid_metadata import FoundMetadata, SavedRange, find_metadata
from gprov.domain.errors import BadInput, DeviceFault, GprovError
from gprov.domain.platform.model import FakeraidType
from gprov.ports.destructive.disk_writer import DiskWriter
from gprov.ports.drives import DiskReader

_PART = 1 << 20


@dataclass(frozen=True, slots=True)
class SavedMetadata:
    """``found``: what was read before the erase, nothing if there was none or if it could not be kept; ``problem``: why
    it could not."""

    kind: FakeraidType
    found: FoundMetadata
    problem: str = ""


def save(disk: Disk, kind: FakeraidType, reader: DiskReader) -> SavedMetadata:
    """Read the metadata, before the erase. Never raises: a disk whose metadata is damaged is erased nevertheless."""

    def read(offset: int, size: int) -> bytes:
        end = min(offset + size, disk.size)
        parts = (Extent(at, min(end, at + _PART)) for at in range(offset, end, _PART))
        return b"".join(reader.read(disk, part) for part in parts)

    try:
        found = find_metadata(kind, read, disk.size, source=disk.node, sector_size=disk.sector_size)
    except (BadInput, DeviceFault) as error:
        return SavedMetadata(kind, FoundMetadata(), str(error))
    return SavedMetadata(kind, found)


@dataclass(frozen=True, slots=True)
class PutBack:
    """``note``: a line for the record of the erase."""

    note: str
    complete: bool


def put_back(disk: Disk, kind: FakeraidType, found: FoundMetadata, writer: DiskWriter, reader: DiskReader) -> PutBack:
    """Write the metadata back after the erase and its verification, and read it again. Never raises: the erase itself
    is valid if it fails, but the firmware has no array any more."""
    name = f"{kind.value} metadata"
    notes = "".join(f"; {note}" for note in found.notes)
    try:
        different = _write(disk, found.ranges, writer, reader)
    except GprovError as error:
        return PutBack(f"{name} could not be put back: {error}{notes}", complete=False)
    if different:
        return PutBack(f"{name} was put back, but {different[0].describe()} read differently{notes}", complete=False)
    places = ", ".join(one.extent.describe() for one in found.ranges)
    return PutBack(f"{name} was put back after the erase and compared: {places}{notes}", complete=True)


def _write(disk: Disk, ranges: tuple[SavedRange, ...], writer: DiskWriter, reader: DiskReader) -> tuple[Extent, ...]:
    """In the order of offsets: the block by which the firmware finds the rest is among the last. Returns the ranges
    that do not hold what was written. Raises DeviceFault."""
    different = []
    for saved in ranges:
        for at in range(0, saved.extent.size, _PART):
            part = saved.content[at : at + _PART]
            place = Extent(saved.extent.start + at, saved.extent.start + at + len(part))
            writer.write(disk, place.start, part)
            if reader.read(disk, place) != part:
                different.append(place)
    return tuple(different)
