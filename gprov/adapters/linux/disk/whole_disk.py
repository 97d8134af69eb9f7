"""What holds before a whole disk is changed: it is the selected one, and nothing uses it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from gprov.adapters.linux.ioctl.blkpg import forget_partition
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.disk.model import Disk
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.ports.block import BlockDevices
from gprov.ports.clock import Clock, Deadline

# A probe keeps a partition busy for milliseconds, a mount for much longer than this.
_BUSY_SECONDS = 3.0
_BUSY_PAUSE = 0.05


def unchanged(blocks: BlockDevices, disk: Disk) -> Disk:
    """The disk's current state. Raises DeviceMissing, and DeviceFault if another disk has its device number."""
    present = blocks.disks()
    now = next((found for found in present if found.device == disk.device), None)
    if now is None:
        raise DeviceMissing(disk.node, "was removed")
    if problem := disk.exchanged(now, present):
        raise DeviceFault(disk.node, problem)
    return now


def problem(blocks: BlockDevices, disk: Disk) -> str:
    """Why the device number is no longer that of this disk; "" if it is."""
    try:
        unchanged(blocks, disk)
    except DeviceFault as fault:
        return fault.sentence
    return ""


@contextmanager
def opened(disk: Disk, flags: int) -> Iterator[int]:
    """The disk's device file, opened. Raises DeviceFault; of a device that does not support O_DIRECT: OSError."""
    try:
        fd = os.open(disk.node, flags | os.O_CLOEXEC)
    except OSError as exc:
        if exc.errno == errno.EBUSY:
            raise DeviceFault(disk.node, "is in use: mounted, or part of an array", errno=exc.errno) from exc
        if exc.errno == errno.EINVAL and flags & os.O_DIRECT:
            raise
        action = "cannot open for writing" if flags & os.O_RDWR else "cannot open"
        raise fault_from_oserror(disk.node, action, exc) from exc
    try:
        if (found := os.fstat(fd)).st_rdev != os.makedev(*disk.device):
            now = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
            raise DeviceFault(disk.node, f"device number is {now}, expected that of the selected disk, {disk.device}")
        yield fd
    finally:
        os.close(fd)


@contextmanager
def exclusive(disk: Disk) -> Iterator[int]:
    """The disk opened for writing. Fails while something on it is mounted or part of an array (O_EXCL on a block
    device)."""
    with opened(disk, os.O_RDWR | os.O_EXCL) as fd:
        yield fd


def forget(disk: Disk, fd: int, number: int, clock: Clock) -> None:
    """Remove a partition from the kernel's list. Raises DeviceFault (in use)."""
    deadline = Deadline(clock, _BUSY_SECONDS)
    while True:
        try:
            return forget_partition(fd, number)
        except OSError as exc:
            if exc.errno != errno.EBUSY or deadline.passed:
                raise fault_from_oserror(disk.node, f"cannot remove partition {number}", exc) from exc
        clock.sleep(_BUSY_PAUSE)
