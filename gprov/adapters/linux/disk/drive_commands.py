"""Commands to drives through SG_IO and the NVMe admin ioctl.

Device files are opened for reading only. That is enough for a privileged process, and closing a file that was open for
writing makes udev read the disk: between SECURITY ERASE PREPARE and SECURITY ERASE UNIT that would cancel the erase.
For the same reason the disk's identity is compared with sysfs alone.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from typing_extensions import override

from gprov.adapters.linux.disk.sysfs import scan_disks
from gprov.adapters.linux.ioctl.blkpg import forget_partition
from gprov.adapters.linux.ioctl.sg_io import sg_io
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.disk.model import Disk
from gprov.domain.erase.drive_io import NoReply, NvmeCommand, NvmeReply, ScsiCommand, ScsiReply
from gprov.domain.erase.read_only import reads_only
from gprov.domain.errors import DeviceFault, DeviceMissing, InternalError
from gprov.ports.destructive.drive_commands import DriveCommands
from gprov.ports.drives import DriveQueries

Reply = TypeVar("Reply", ScsiReply | NoReply, NvmeReply | NoReply)

_BLKRRPART = 0x125F
_BLKFLSBUF = 0x1261
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class IoctlDriveQueries(DriveQueries):
    """A disk that cannot be opened, or has another device number by now, gives no reply."""

    @override
    def scsi(self, disk: Disk, command: ScsiCommand) -> ScsiReply | NoReply:
        _require_read_only(command)
        return self._ask(disk, lambda fd: sg_io(fd, command))

    @override
    def nvme(self, disk: Disk, command: NvmeCommand) -> NvmeReply | NoReply:
        _require_read_only(command)
        return self._ask(disk, lambda fd: _admin(fd, command))

    def _ask(self, disk: Disk, send: Callable[[int], Reply]) -> Reply | NoReply:
        try:
            with _opened(disk, _OPEN) as fd:
                return send(fd)
        except OSError as exc:
            return _no_reply(exc)
        except DeviceFault as fault:
            return NoReply(fault.reason)


class IoctlDriveCommands(DriveCommands):
    """``include_loop``: accept loop devices too, for tests."""

    def __init__(self, sysfs: str = "/sys", dev: str = "/dev", *, include_loop: bool = False) -> None:
        self._sysfs = sysfs
        self._dev = dev
        self._include_loop = include_loop

    @override
    def scsi(self, disk: Disk, command: ScsiCommand) -> ScsiReply | NoReply:
        return self._send(disk, lambda fd: sg_io(fd, command))

    @override
    def nvme(self, disk: Disk, command: NvmeCommand) -> NvmeReply | NoReply:
        return self._send(disk, lambda fd: _admin(fd, command))

    @override
    def reread(self, disk: Disk) -> None:
        with self._exclusive(disk) as (fd, now):
            try:
                fcntl.ioctl(fd, _BLKFLSBUF, 0)
                _read_partitions(fd, now)
            except OSError as exc:
                raise fault_from_oserror(disk.node, "cannot read the partition table again", exc) from exc

    def _send(self, disk: Disk, send: Callable[[int], Reply]) -> Reply | NoReply:
        with self._exclusive(disk) as (fd, _now):
            try:
                return send(fd)
            except OSError as exc:
                return _no_reply(exc)

    def _exclusive(self, disk: Disk) -> AbstractContextManager[tuple[int, Disk]]:
        return exclusive_disk(disk, self._sysfs, self._dev, include_loop=self._include_loop)


@contextmanager
def exclusive_disk(disk: Disk, sysfs: str, dev: str, *, include_loop: bool) -> Iterator[tuple[int, Disk]]:
    """The selected disk, not in use (O_EXCL: not mounted, no swap, no part of an array), and kept so meanwhile: its
    descriptor, and the disk as it is now. Raises DeviceFault."""
    try:
        with _opened(disk, _OPEN | os.O_EXCL) as fd:
            present = scan_disks(sysfs, dev, include_loop=include_loop)
            now = next((found for found in present if found.device == disk.device), None)
            if now is None:
                raise DeviceMissing(disk.node, "was removed")
            if problem := disk.exchanged(now, present) or held(now):
                raise DeviceFault(disk.node, problem)
            yield fd, now
    except OSError as exc:
        if exc.errno == errno.EBUSY:
            raise DeviceFault(disk.node, "is in use: mounted, swap, or part of an array", errno=exc.errno) from exc
        raise fault_from_oserror(disk.node, "cannot open", exc) from exc


def held(disk: Disk) -> str:
    """Why a disk is in use by others than file systems, "" if it is not."""
    holders = disk.devices - {disk.device} - {part.device for part in disk.partitions}
    names = ", ".join(sorted(str(device) for device in holders))
    return f"is in use: held by the arrays or mappings {names}" if names else ""


def _require_read_only(command: ScsiCommand | NvmeCommand) -> None:
    if not reads_only(command):
        raise InternalError(f"not on the list of commands that only read: {command}")


def _read_partitions(fd: int, disk: Disk) -> None:
    """Raises OSError."""
    try:
        fcntl.ioctl(fd, _BLKRRPART, 0)
    except OSError as exc:
        if exc.errno != errno.EINVAL:
            raise
        # The kernel does not scan this device. Its partitions, if any, were made one by one.
        for part in disk.partitions:
            forget_partition(fd, part.number)


def _admin(fd: int, command: NvmeCommand) -> NvmeReply | NoReply:
    from gprov.adapters.linux.ioctl.nvme import admin

    return admin(fd, command)


def _no_reply(exc: OSError) -> NoReply:
    return NoReply(os.strerror(exc.errno) if exc.errno else str(exc))


@contextmanager
def _opened(disk: Disk, flags: int) -> Iterator[int]:
    """Raises OSError, and DeviceFault if the device file has another device number."""
    fd = os.open(disk.node, flags)
    try:
        if (found := os.fstat(fd)).st_rdev != os.makedev(*disk.device):
            now = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
            raise DeviceFault(disk.node, f"device number is {now}, expected that of the selected disk, {disk.device}")
        yield fd
    finally:
        os.close(fd)
