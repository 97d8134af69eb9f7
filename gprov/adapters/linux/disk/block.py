"""BlockDevices port on sysfs, libblkid and the kernel's device events."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from typing_extensions import override

from gprov.adapters.linux.disk.sysfs import scan_disks
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.disk.model import Contents, Disk, Partition
from gprov.domain.errors import DeviceFault
from gprov.ports.block import BlockDevices, DeviceChanges


class SysfsBlockDevices(BlockDevices):
    """``include_loop``: list attached loop devices too, for tests. A scan costs some dozen small reads per disk."""

    def __init__(self, sysfs: str = "/sys", dev: str = "/dev", *, include_loop: bool = False) -> None:
        self._sysfs = sysfs
        self._dev = dev
        self._include_loop = include_loop

    @override
    def disks(self) -> tuple[Disk, ...]:
        found = scan_disks(self._sysfs, self._dev, include_loop=self._include_loop)
        return tuple(self._identified(disk) for disk in found)

    @override
    def contents(self, node: str) -> Contents:
        from gprov.adapters.linux.disk.blkid import probe

        return probe(node)

    @override
    def changes(self) -> AbstractContextManager[DeviceChanges]:
        from gprov.adapters.linux.disk.uevents import subscribe

        return subscribe()

    @override
    def read(self, node: str, offset: int, size: int) -> bytes:
        try:
            data = _read(node, offset, size)
        except OSError as exc:
            raise fault_from_oserror(node, f"cannot read {size} bytes at {offset}", exc) from exc
        if len(data) != size:
            raise DeviceFault(node, f"cannot read {size} bytes at {offset}: ends at {offset + len(data)}")
        return data

    def _identified(self, disk: Disk) -> Disk:
        """Add partition identities from the table itself if the kernel is too old to report them."""
        if all(part.uuid for part in disk.partitions):
            return disk
        from gprov.domain.formats.disk.partition_ids import read_partition_ids

        numbers = (part.number for part in disk.partitions)
        try:
            with _opened(disk.node) as fd:
                ids = read_partition_ids(
                    lambda offset, size: _read_from(fd, offset, size), disk.size, disk.sector_size, numbers
                )
        except OSError:
            # A bad disk must not hide others or itself: it is listed without these identities. Reading its contents
            # reports the error.
            return disk

        def identified(part: Partition) -> Partition:
            known = ids.get(part.number)
            return replace(part, uuid=known.uuid, label=known.label) if known is not None else part

        return replace(disk, partitions=tuple(identified(part) for part in disk.partitions))


@contextmanager
def _opened(node: str) -> Iterator[int]:
    fd = os.open(node, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def _read(node: str, offset: int, size: int) -> bytes:
    with _opened(node) as fd:
        return _read_from(fd, offset, size)


def _read_from(fd: int, offset: int, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (part := os.pread(fd, size, offset)):
        parts.append(part)
        offset += len(part)
        size -= len(part)
    return b"".join(parts)
