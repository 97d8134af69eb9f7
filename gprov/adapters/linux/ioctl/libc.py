"""System calls without a Python function, through the C library.

Each raises OSError with the errno of the call; adapters translate it. Constants have the kernel's names and values
(``linux/mount.h``, ``linux/magic.h``, ``linux/openat2.h``).
"""

from __future__ import annotations

import ctypes
import os
from enum import IntFlag
from mmap import mmap

_libc = ctypes.CDLL(None, use_errno=True)


class MountFlag(IntFlag):
    """MS_* of mount(2)."""

    RDONLY = 1
    NOSUID = 2
    NODEV = 4
    NOEXEC = 8
    SYNCHRONOUS = 16
    REMOUNT = 32
    DIRSYNC = 128
    NOATIME = 1024
    NODIRATIME = 2048
    BIND = 4096
    MOVE = 8192
    REC = 16384
    SILENT = 32768
    PRIVATE = 1 << 18
    RELATIME = 1 << 21
    STRICTATIME = 1 << 24
    LAZYTIME = 1 << 25


UMOUNT_NOFOLLOW = 8
_MNT_DETACH = 2
# unshare(2): a mount namespace of its own.
CLONE_NEWNS = 0x00020000
_PR_SET_NAME = 15
# statfs(2) f_type
MSDOS_SUPER_MAGIC = 0x4D44
RAMFS_MAGIC = 0x858458F6
TMPFS_MAGIC = 0x01021994

_SYS_OPENAT2 = 437  # the same on every architecture
_RESOLVE_IN_ROOT = 0x10


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class _Statfs(ctypes.Structure):
    """Only ``f_type`` is used; the rest is not longer than this on any architecture."""

    _fields_ = (("type", ctypes.c_long), ("rest", ctypes.c_byte * 248))


_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
_libc.mount.restype = ctypes.c_int
_libc.umount2.argtypes = [ctypes.c_char_p, ctypes.c_int]
_libc.umount2.restype = ctypes.c_int
_libc.unshare.argtypes = [ctypes.c_int]
_libc.unshare.restype = ctypes.c_int
_libc.prctl.argtypes = [ctypes.c_int, ctypes.c_char_p]
_libc.prctl.restype = ctypes.c_int
_libc.syncfs.argtypes = [ctypes.c_int]
_libc.syncfs.restype = ctypes.c_int
_libc.fstatfs.argtypes = [ctypes.c_int, ctypes.POINTER(_Statfs)]
_libc.fstatfs.restype = ctypes.c_int
_libc.memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
_libc.memcmp.restype = ctypes.c_int
_libc.syscall.argtypes = [
    ctypes.c_long,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.POINTER(_OpenHow),
    ctypes.c_size_t,
]
_libc.syscall.restype = ctypes.c_long


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2) with ``MountFlag`` bits. CAP_SYS_ADMIN. Some errors: EINVAL (no valid superblock), ENODEV (file system
    not in the kernel), EBUSY, EUCLEAN (structure needs cleaning)."""
    _checked(_libc.mount(_name(source), _name(target), _name(kind), flags, _name(data) if data else None), target)


def unmount(target: str) -> None:
    """umount2(2), without following a link. EBUSY: in use; EINVAL: not a mount point."""
    _checked(_libc.umount2(_name(target), UMOUNT_NOFOLLOW), target)


def detach(target: str) -> None:
    """umount2(2) with MNT_DETACH: the mount leaves the name space at once, also if it is in use."""
    _checked(_libc.umount2(_name(target), UMOUNT_NOFOLLOW | _MNT_DETACH), target)


def unshare(flags: int) -> None:
    """unshare(2): this process leaves the name spaces that it shares with others. CAP_SYS_ADMIN."""
    _checked(_libc.unshare(flags))


def set_process_name(name: str) -> None:
    """prctl(2), PR_SET_NAME: the name of this thread in /proc/PID/comm, at most 15 bytes of it."""
    _checked(_libc.prctl(_PR_SET_NAME, _name(name)))


def syncfs(fd: int) -> None:
    """Write back the whole file system that ``fd`` is on. Reports EIO of earlier write-back since Linux 5.8."""
    _checked(_libc.syncfs(fd))


def file_system_magic(fd: int) -> int:
    """``f_type`` of fstatfs(2)."""
    result = _Statfs()
    _checked(_libc.fstatfs(fd, ctypes.byref(result)))
    return int(result.type) & 0xFFFFFFFF


def open_in_root(root: int, path: str, flags: int) -> int:
    """openat2(2) with RESOLVE_IN_ROOT (Linux 5.6): ``path`` and all links in it are resolved with the folder ``root``
    as root. Returns a file descriptor."""
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT)
    return _checked(_libc.syscall(_SYS_OPENAT2, root, _name(path), ctypes.byref(how), ctypes.sizeof(how)), path)


class Memory:
    """The bytes of a buffer, at the place where they are. ``buffer`` cannot be resized while this exists."""

    def __init__(self, buffer: bytearray | mmap) -> None:
        self.size = len(buffer)
        self._bytes = (ctypes.c_char * self.size).from_buffer(buffer)

    def equals(self, other: Memory, start: int, size: int) -> bool:
        """Compare the same range of both. Unlike ``==``, other threads run meanwhile."""
        if not 0 <= start <= start + size <= min(self.size, other.size):
            raise ValueError(f"{size} bytes at {start} of {self.size} and {other.size}")
        return not _libc.memcmp(ctypes.byref(self._bytes, start), ctypes.byref(other._bytes, start), size)


def _name(text: str) -> bytes:
    raw = os.fsencode(text)
    if b"\0" in raw:
        raise ValueError(f"zero byte in {text!r}")
    return raw


def _checked(result: int, path: str | None = None) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)
    return result
