"""Requests to block devices (``linux/fs.h``). Each raises OSError with the errno of the call."""

from __future__ import annotations

import fcntl
import struct

_BLKROSET = 0x125D  # _IO(0x12, 93)
_BLKROGET = 0x125E  # _IO(0x12, 94)
_BLKFLSBUF = 0x1261  # _IO(0x12, 97)
_BLKDISCARD = 0x1277  # _IO(0x12, 119)
_BLKPBSZGET = 0x127B  # _IO(0x12, 123)
_BLKGETSIZE64 = 0x80081272  # _IOR(0x12, 114, size_t)


def size_in_bytes(fd: int) -> int:
    """The present size; 0 for some devices that were removed."""
    return int(struct.unpack("=Q", fcntl.ioctl(fd, _BLKGETSIZE64, bytes(8)))[0])


def physical_sector(fd: int) -> int:
    """Bytes that the device writes at once."""
    return int(struct.unpack("=I", fcntl.ioctl(fd, _BLKPBSZGET, bytes(4)))[0])


def is_read_only(fd: int) -> bool:
    """Whether the kernel refuses to write on the device."""
    return bool(struct.unpack("=i", fcntl.ioctl(fd, _BLKROGET, bytes(4)))[0])


def set_read_only(fd: int, *, read_only: bool) -> None:
    """Until the device is removed. CAP_SYS_ADMIN."""
    fcntl.ioctl(fd, _BLKROSET, struct.pack("=i", read_only))


def drop_cached(fd: int) -> None:
    """Write back and forget what the kernel has cached of the device. CAP_SYS_ADMIN."""
    fcntl.ioctl(fd, _BLKFLSBUF, 0)


def discard(fd: int, start: int, size: int) -> None:
    """Multiples of the sector size. EOPNOTSUPP: not supported by the device."""
    fcntl.ioctl(fd, _BLKDISCARD, struct.pack("=QQ", start, size))
