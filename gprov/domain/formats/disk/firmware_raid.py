"""What the codecs of firmware RAID have in common: blocks of metadata on a disk, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.formats.disk.partition_ids import ReadDisk

BLOCK = 512
# Of one disk. The largest tables of DDF, twice, are less than a tenth of it.
MOST_BYTES = 128 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """Metadata at byte ``offset`` of a disk."""

    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class RaidMetadata:
    """``blocks``: by offset. ``notes``: parts that are left out, and why."""

    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()


def read_whole(read: ReadDisk, offset: int, size: int) -> bytes | None:
    """None if the disk ends before."""
    content = read(offset, size)
    return content if len(content) == size else None
