"""How many blocks and inodes the members of an archive take on ext4 as PRIMARY has it (blocks of 4 KiB, inodes of 256
bytes, extents, htree folders, no inline data).

Never too few. Where it depends on the order or on luck, the worse case counts: folders are half full (an htree block
is split in two when it is full), each file has an attribute block of its own, and what a later member replaces counts
all the same. Source: Linux ``Documentation/filesystems/ext4``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FS_BLOCK = 4096
_FAST_SYMLINK = 59  # bytes of a target that fits into the inode
_EXTENTS_IN_INODE = 4
_EXTENTS_IN_BLOCK = (FS_BLOCK - 12 - 4) // 12
_BLOCKS_IN_EXTENT = 8192  # 32 MiB; an extent may have 128 MiB, where there is room in one piece
_FOLDER_BLOCK = FS_BLOCK - 12  # less its checksum
_OWN_ENTRIES = 24  # "." and ".."
_ENTRIES_IN_INDEX = (FS_BLOCK - 8 - 8) // 8


@dataclass(frozen=True, slots=True)
class Needs:
    """Of an image on PRIMARY: ``allocated`` bytes in whole blocks, and inodes."""

    allocated: int = 0
    inodes: int = 0


class Ext4Usage:
    def __init__(self) -> None:
        self._blocks = 0

    def file(self, size: int) -> None:
        """A file without holes."""
        blocks = (size + FS_BLOCK - 1) // FS_BLOCK
        self._blocks += blocks
        if blocks > _BLOCKS_IN_EXTENT:
            self._blocks += _tree(-(-blocks // _BLOCKS_IN_EXTENT))

    def sparse(self, regions: int, blocks: int) -> None:
        self._blocks += blocks + _tree(regions + blocks // _BLOCKS_IN_EXTENT)

    def symlink(self, target: bytes) -> None:
        self._blocks += len(target) > _FAST_SYMLINK

    def attribute_block(self) -> None:
        self._blocks += 1

    def needs(self, folders: Mapping[bytes, int], inodes: int) -> Needs:
        """``folders``: bytes of the entries of each; ``inodes``: of all members."""
        blocks = self._blocks + sum(map(folder_blocks, folders.values()))
        return Needs(blocks * FS_BLOCK, inodes)


def entry_bytes(name: bytes) -> int:
    """Of one name in a folder."""
    return 8 + ((len(name) + 3) & ~3)


def folder_blocks(entries: int) -> int:
    """Blocks of a folder whose entries have so many bytes."""
    if entries + _OWN_ENTRIES <= _FOLDER_BLOCK:
        return 1
    leaves = -(-2 * entries // _FOLDER_BLOCK) + 1
    return 1 + leaves + (-(-2 * leaves // _ENTRIES_IN_INDEX) if leaves > _ENTRIES_IN_INDEX else 0)


def _tree(extents: int) -> int:
    """Blocks of an extent tree outside of the inode."""
    if extents <= _EXTENTS_IN_INODE:
        return 0
    leaves = -(-extents // _EXTENTS_IN_BLOCK)
    return leaves + (1 + leaves // _EXTENTS_IN_BLOCK if leaves > _EXTENTS_IN_INODE else 0)
