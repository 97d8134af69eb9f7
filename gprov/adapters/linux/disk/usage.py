"""DiskUsage port: holders in sysfs, and an exclusive opening as a trial.

The kernel grants an exclusive opening (O_EXCL) of a disk only if neither it nor a partition of it is mounted, swap, or
a member of an array, mapping or pool. It is opened for reading: nothing is written, and udev does not probe it again.
"""

from __future__ import annotations

import errno
import os

from typing_extensions import override

from gprov.adapters.linux.disk.drive_commands import held
from gprov.domain.disk.model import Disk
from gprov.ports.usage import DiskUsage


class LinuxDiskUsage(DiskUsage):
    @override
    def reason(self, disk: Disk) -> str:
        if problem := held(disk):
            return problem
        try:
            os.close(os.open(disk.node, os.O_RDONLY | os.O_EXCL | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError as exc:
            if exc.errno == errno.EBUSY:
                return "is in use: mounted, swap, or part of an array or pool"
            return f"cannot be opened: {os.strerror(exc.errno or errno.EIO)}"
        return ""
