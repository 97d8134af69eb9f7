"""What mke2fs leaves of a volume when it makes PRIMARY: a model of what ``make_command`` and the units' ``mke2fs.conf``
do, never promising more than there is.

ext4 with blocks of 4 KiB, inodes of 256 bytes, flex_bg, 64bit, resize_inode, and 1 % reserved for root. Sources: mke2fs
1.47, ``misc/mke2fs.c`` (``parse_fs_type``), ``lib/ext2fs/initialize.c``, ``lib/ext2fs/mkjournal.c``; Linux
``fs/ext4/super.c`` (``ext4_set_resv_clusters``: what the kernel keeps back even from root).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gprov.domain.disk.arrayspec import capacity
from gprov.domain.disk.layout import MIB
from gprov.domain.formats.image.ext4_usage import FS_BLOCK, Needs
from gprov.domain.platform.model import RaidLevel

_PER_GROUP = 8 * FS_BLOCK  # blocks
_INODES_IN_BLOCK = FS_BLOCK // 256
_DESCRIPTORS_IN_BLOCK = FS_BLOCK // 64
_MOST_RESERVED_DESCRIPTORS = FS_BLOCK // 4
_LEAST_LAST_GROUP = 50  # blocks of data, or mke2fs leaves the group away
_FIRST_INODES = 11  # of which lost+found is the last
_LOST_FOUND = 4
_MOST_INODES = (1 << 32) - 1
_KERNEL_KEEPS = 4096  # blocks, at most a fiftieth
# Bytes from which on there are fewer inodes: ``fs_types`` of mke2fs.conf.
_BYTES_PER_INODE = ((512 * MIB, 4096), (4 << 40, 16384), (16 << 40, 32768), (1 << 62, 65536))
# Blocks from which on the journal is larger, and the blocks that it has below.
_JOURNALS = ((32 << 10, 1024), (256 << 10, 4096), (512 << 10, 8192), (4 << 20, 16384), (8 << 20, 32768))
_LARGE_JOURNALS = ((16 << 20, 65536), (32 << 20, 131072), (1 << 62, 262144))
# Of a disk, what is not PRIMARY: alignment and both copies of the partition table; with BIOS, the boot partition; of a
# member of an array, what mdadm keeps for itself at most.
_EDGES = 2 * MIB
_BOOT_PARTITION = 201 * MIB
_ARRAY = 130 * MIB
# What a restore writes besides the image.
_RESTORE_BYTES, _RESTORE_INODES = 16 * MIB, 200
# In an archive: of a member, its header and an extended one with some attributes; hard links and the end of it.
_HEADERS, _PADDING = 2048, 64 * MIB


@dataclass(frozen=True, slots=True)
class Room:
    """For files, folders and the rest of an image: bytes in whole blocks, and inodes."""

    bytes: int
    inodes: int

    def holds(self, needs: Needs) -> bool:
        return needs.allocated <= self.bytes and needs.inodes <= self.inodes

    @property
    def largest_archive(self) -> int:
        """Bytes of a tar archive that could fit: data, and headers of each member."""
        return self.bytes + self.inodes * _HEADERS + _PADDING


def ext4_room(size: int) -> Room:
    """Of a volume of ``size`` bytes."""
    blocks = size // FS_BLOCK
    ratio = next(ratio for below, ratio in _BYTES_PER_INODE if size < below)
    wanted = min(blocks * FS_BLOCK // ratio, _MOST_INODES)
    groups = -(-blocks // _PER_GROUP)
    if not groups:
        return Room(0, 0)
    table = _inode_table(wanted, groups)
    copy = 1 + _descriptors(groups) + _reserved_descriptors(blocks, groups)
    rest = blocks % _PER_GROUP
    if groups > 1 and rest and rest < table + 2 + copy + _LEAST_LAST_GROUP:
        blocks, groups = blocks - rest, groups - 1
        table = _inode_table(wanted, groups)
    taken = groups * (table + 2) + _copies(groups) * copy + _journal(blocks) + 1 + _LOST_FOUND
    kept = blocks // 100 + 1 + min(blocks // 50, _KERNEL_KEEPS)
    inodes = table * _INODES_IN_BLOCK * groups - _FIRST_INODES
    return Room(max(0, blocks - taken - kept) * FS_BLOCK, max(0, inodes))


def primary_room(level: RaidLevel | None, disks: Sequence[int], *, bios: bool) -> Room:
    """For an image on PRIMARY, on disks of these sizes in bytes: what a restore adds is taken off. Raises
    HardwareMismatch if they are too few for the level."""
    own = _EDGES + (_BOOT_PARTITION if bios else 0) + (_ARRAY if level is not None else 0)
    room = ext4_room(capacity(level, [max(0, size - own) for size in disks]))
    return Room(max(0, room.bytes - _RESTORE_BYTES), max(0, room.inodes - _RESTORE_INODES))


def smallest_disk(needs: Needs) -> int:
    """Bytes of the smallest single disk, in whole MiB, that holds an image on any unit."""
    low, high = 0, 1 << 40  # MiB: an exbibyte
    while low < high:
        middle = (low + high) // 2
        if primary_room(None, [middle * MIB], bios=True).holds(needs):
            high = middle
        else:
            low = middle + 1
    return low * MIB


def _inode_table(inodes: int, groups: int) -> int:
    """Blocks of it in each group."""
    in_group = -(-inodes // groups)
    return -(-in_group // _INODES_IN_BLOCK)


def _descriptors(groups: int) -> int:
    """Blocks of group descriptors."""
    return -(-groups // _DESCRIPTORS_IN_BLOCK)


def _reserved_descriptors(blocks: int, groups: int) -> int:
    """Blocks that are kept for the file system to grow to 1024 times its size."""
    most = min(blocks * 1024, 0xFFFFFFFF)
    return max(0, min(_descriptors(-(-most // _PER_GROUP)) - _descriptors(groups), _MOST_RESERVED_DESCRIPTORS))


def _copies(groups: int) -> int:
    """Groups with a copy of the superblock: 0, 1 and the powers of 3, 5 and 7."""
    numbers = {0, 1}
    for base in (3, 5, 7):
        power = base
        while power < groups:
            numbers.add(power)
            power *= base
    return len([number for number in numbers if number < groups])


def _journal(blocks: int) -> int:
    """Blocks of the journal, and of the tree of its extents."""
    return 1 + next(size for below, size in _JOURNALS + _LARGE_JOURNALS if blocks < below)
