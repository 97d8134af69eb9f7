"""Metadata of the host's firmware RAID, which an erase can put back: without it, the firmware no longer has its arrays.

Only what is metadata beyond doubt is kept; areas that may hold data of the unit are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gprov.domain.erase.extents import Extent, merged
from gprov.domain.formats.disk.ddf import read_ddf
from gprov.domain.formats.disk.firmware_raid import Block, RaidMetadata
from gprov.domain.formats.disk.imsm import read_imsm
from gprov.domain.formats.disk.partition_ids import ReadDisk
from gprov.domain.platform.model import FakeraidType


@dataclass(frozen=True, slots=True)
class SavedRange:
    """Whole sectors. What of them is not metadata is zero."""

    extent: Extent
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FoundMetadata:
    """``ranges``: by offset, empty if the disk has no such metadata. ``notes``: what is left out, and why."""

    ranges: tuple[SavedRange, ...] = ()
    notes: tuple[str, ...] = ()


def find_metadata(
    kind: FakeraidType, read: ReadDisk, size: int, *, source: str = "disk", sector_size: int = 512
) -> FoundMetadata:
    """``read(offset, size)`` returns bytes of the disk, ``size`` is that of the disk. Raises BadInput (damaged, or too
    large), and what ``read`` raises."""
    found = _read(kind, read, size, source, sector_size)
    if found is None:
        return FoundMetadata(notes=(f"no {kind.value} metadata was found",))
    return FoundMetadata(_whole_sectors(found.blocks, sector_size), found.notes)


def _read(kind: FakeraidType, read: ReadDisk, size: int, source: str, sector_size: int) -> RaidMetadata | None:
    match kind:
        case FakeraidType.DDF:
            return read_ddf(source, read, size)
        case FakeraidType.IMSM:
            return read_imsm(source, read, size, sector_size)


def _whole_sectors(blocks: Iterable[Block], sector_size: int) -> tuple[SavedRange, ...]:
    """Adjacent sectors are joined."""
    blocks = tuple(blocks)
    touched = merged(_touched(block, sector_size) for block in blocks)
    contents = {extent: bytearray(extent.size) for extent in touched}
    for block in blocks:
        extent = next(one for one in touched if one.start <= block.offset < one.end)
        at = block.offset - extent.start
        contents[extent][at : at + len(block.content)] = block.content
    return tuple(SavedRange(extent, bytes(content)) for extent, content in contents.items())


def _touched(block: Block, sector_size: int) -> Extent:
    end = block.offset + len(block.content)
    return Extent(block.offset - block.offset % sector_size, -(-end // sector_size) * sector_size)
