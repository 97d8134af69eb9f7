"""An opened disk that is read and written past the page cache, and the rules for its errors.

Kernels translate the status of a request to an errno (``block/blk-core.c``, ``blk_errors``): a sector that cannot be
read or written is ENODATA ("critical medium") where the drive says so, EILSEQ (protection information), else EIO.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from typing_extensions import override

from gprov.adapters.linux.disk.whole_disk import opened
from gprov.adapters.linux.ioctl import block
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.disk.model import Disk

MEDIUM_ERRORS = frozenset({errno.EIO, errno.ENODATA, errno.EILSEQ, errno.EBADMSG})


class RawDevice(Protocol):
    """All methods raise OSError. Offsets and sizes are multiples of the logical sector."""

    def read(self, view: memoryview, offset: int) -> int:
        """Read into ``view``; returns the number of bytes, 0 at the end of the device."""

    def write(self, view: memoryview, offset: int) -> int:
        """Returns the number of bytes written, 0 at the end of the device."""

    def flush(self) -> None:
        """Flush the drive's cache. An error of any earlier write counts."""

    def discard(self, start: int, size: int) -> None:
        """BLKDISCARD."""

    def size(self) -> int:
        """Present size in bytes."""

    def sector(self) -> int:
        """Physical sector in bytes: the smallest unit that is tried alone."""


OpenDevice = Callable[[Disk, int], AbstractContextManager[RawDevice]]


class LinuxDevice(RawDevice):
    """``direct``: opened with O_DIRECT. Otherwise pages are dropped from the cache as soon as they were written or
    read."""

    def __init__(self, fd: int, *, direct: bool) -> None:
        self._fd = fd
        self._direct = direct

    @override
    def read(self, view: memoryview, offset: int) -> int:
        done = os.preadv(self._fd, [view], offset)
        self._drop(offset, done)
        return done

    @override
    def write(self, view: memoryview, offset: int) -> int:
        done = os.pwritev(self._fd, [view], offset)
        if not self._direct:
            os.fdatasync(self._fd)  # so that an error is that of this block, and its pages can be dropped
        self._drop(offset, done)
        return done

    def _drop(self, offset: int, size: int) -> None:
        if not self._direct and size:
            os.posix_fadvise(self._fd, offset, size, os.POSIX_FADV_DONTNEED)

    @override
    def flush(self) -> None:
        os.fdatasync(self._fd)

    @override
    def discard(self, start: int, size: int) -> None:
        block.discard(self._fd, start, size)

    @override
    def size(self) -> int:
        return block.size_in_bytes(self._fd)

    @override
    def sector(self) -> int:
        return block.physical_sector(self._fd)


@contextmanager
def raw_device(disk: Disk, flags: int) -> Iterator[RawDevice]:
    """``flags``: O_RDONLY, or O_RDWR | O_EXCL. Nothing of the disk is left in the page cache. Raises DeviceFault."""
    with _directly_opened(disk, flags) as (fd, direct):
        try:
            block.drop_cached(fd)
        except OSError as exc:
            raise fault_from_oserror(disk.node, "cannot drop the cached contents", exc) from exc
        yield LinuxDevice(fd, direct=direct)


@contextmanager
def _directly_opened(disk: Disk, flags: int) -> Iterator[tuple[int, bool]]:
    """Without O_DIRECT where the device does not support it."""
    direct = _supports_direct(disk)
    with opened(disk, flags | (os.O_DIRECT if direct else 0)) as fd:
        yield fd, direct


def _supports_direct(disk: Disk) -> bool:
    try:
        with opened(disk, os.O_RDONLY | os.O_DIRECT):
            return True
    except OSError:
        return False


def aligned_buffer(size: int) -> mmap.mmap:
    """Bytes that begin at a page, as O_DIRECT demands."""
    return mmap.mmap(-1, size)
