"""Reads the log of requests to a virtual disk, written by QEMU's filter ``blklogwrites``.

The format is that of the kernel's dm-log-writes (drivers/md/dm-log-writes.c; QEMU block/blklogwrites.c). All numbers
are little-endian:

    super block, in the first sector: magic u64, version u64, entries u64, sector size u32
    entry, in a sector of its own:    sector u64, sectors u64, flags u64, length u64; then the data, unless discarded

QEMU stores an entry before it completes the guest's request, so all completed writes and flushes are in the log. It
updates the count in the super block only sometimes, leaves ``length`` 0, and does not mark writes with forced unit
access: logs are complete only for disks without that feature (AHCI, USB, virtio).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.domain.errors import BadInput, Problem

_MAGIC = 0x6A736677736872
_VERSION = 1
_SUPER = struct.Struct("<QQQI")
_ENTRY = struct.Struct("<QQQQ")
_FLUSH, _DISCARD = 1, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """``offset``, ``size``: bytes on the disk; ``place``: offset of the data in the log, None for a discard or a
    request without data. ``end``: length of the log including this entry. A ``flush`` makes all entries before it
    durable."""

    offset: int
    size: int
    place: int | None
    end: int
    flush: bool = False


def read_log(path: str) -> tuple[LoggedRequest, ...]:
    """Return all entries in order, none for an empty file. Raises BadInput for another format or a truncated log."""
    with os_errors_translated(path), open(path, "rb") as file:
        whole = os.fstat(file.fileno()).st_size
        if whole == 0:
            return ()
        position = unit = _sector_size(path, file.read(_SUPER.size))
        found = []
        while position < whole:
            file.seek(position)
            entry = _entry(file.read(_ENTRY.size), position, unit)
            if entry is None or entry.end > whole:
                raise BadInput(path, [Problem(f"offset {position}", "incomplete entry")])
            found.append(entry)
            position = entry.end
    return tuple(found)


def durable(entries: Sequence[LoggedRequest]) -> list[int]:
    """Return a list d of len(entries) + 1 numbers: of the first n entries, d[n] are durable, the last flush
    included."""
    found = [0]
    for index, entry in enumerate(entries, 1):
        found.append(index if entry.flush else found[-1])
    return found


def _sector_size(path: str, head: bytes) -> int:
    magic, version, _, unit = _SUPER.unpack(head) if len(head) == _SUPER.size else (0, 0, 0, 0)
    if (magic, version) != (_MAGIC, _VERSION) or unit < 512 or unit & (unit - 1):
        raise BadInput(path, [Problem("super block", "not a log of blklogwrites")])
    size: int = unit
    return size


def _entry(raw: bytes, position: int, unit: int) -> LoggedRequest | None:
    if len(raw) < _ENTRY.size:
        return None
    sector, sectors, flags, _ = _ENTRY.unpack(raw)
    data, size = position + unit, sectors * unit
    if flags & _DISCARD:
        return LoggedRequest(offset=sector * unit, size=size, place=None, end=data)
    return LoggedRequest(
        offset=sector * unit, size=size, place=data if size else None, end=data + size, flush=bool(flags & _FLUSH)
    )
