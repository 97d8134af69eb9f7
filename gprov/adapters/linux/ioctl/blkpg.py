"""Removes partitions from the kernel's list (``linux/blkpg.h``), one by one.

Unlike re-reading the table (BLKRRPART) this works on every device, with or without a partition parser for it, and
before the table itself is overwritten.
"""

from __future__ import annotations

import ctypes
import fcntl

_BLKPG = 0x1269  # _IO(0x12, 105)
_DEL_PARTITION = 2
_NAME_LENGTH = 64


class _Partition(ctypes.Structure):
    _fields_ = (
        ("start", ctypes.c_longlong),
        ("length", ctypes.c_longlong),
        ("number", ctypes.c_int),
        ("device_name", ctypes.c_char * _NAME_LENGTH),
        ("volume_name", ctypes.c_char * _NAME_LENGTH),
    )


class _Argument(ctypes.Structure):
    _fields_ = (
        ("operation", ctypes.c_int),
        ("flags", ctypes.c_int),
        ("data_length", ctypes.c_int),
        ("data", ctypes.c_void_p),
    )


def forget_partition(fd: int, number: int) -> None:
    """``fd``: the whole disk. CAP_SYS_ADMIN. Raises OSError: EBUSY (in use), ENXIO (no such partition)."""
    partition = _Partition(number=number)
    data = ctypes.cast(ctypes.pointer(partition), ctypes.c_void_p)
    fcntl.ioctl(fd, _BLKPG, bytes(_Argument(_DEL_PARTITION, 0, ctypes.sizeof(partition), data)))
