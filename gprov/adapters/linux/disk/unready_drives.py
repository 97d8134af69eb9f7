"""SCSI drives without capacity, since they erase themselves.

While a sanitize operation is in progress, a drive refuses READ CAPACITY: a kernel that was started meanwhile
lists the drive with a size of 0, and asks again only at a write to ``device/rescan`` in sysfs (Linux
Documentation/scsi/scsi_mid_low_api.rst).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import cast

from typing_extensions import override

from gprov.adapters.linux.disk.sysfs import DiskWithoutSize, scan_disks_without_size
from gprov.adapters.linux.ioctl.sg_io import sg_io
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.erase.drive_io import DriveReply, NoReply, ScsiCommand, ScsiReply
from gprov.domain.erase.scsi.sanitize import observe
from gprov.domain.erase.scsi.watch import Observation, Stage
from gprov.ports.drives import BusyDrive, UnreadyDrives

SendScsi = Callable[[int, ScsiCommand], ScsiReply | NoReply]

_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class ScsiUnreadyDrives(UnreadyDrives):
    """``send``: sends a command to an open device file."""

    def __init__(self, sysfs: str = "/sys", dev: str = "/dev", send: SendScsi = sg_io) -> None:
        self._sysfs = sysfs
        self._dev = dev
        self._send = send

    @override
    def sanitizing(self) -> tuple[BusyDrive, ...]:
        busy = []
        for disk in scan_disks_without_size(self._sysfs, self._dev):
            observation = self._observe(disk)
            if observation.stage is Stage.RUNNING:
                busy.append(BusyDrive(f"{disk.node} ({disk.names})", observation.done))
            elif observation.stage is not Stage.SILENT:
                self._rescan(disk)
        return tuple(busy)

    def _observe(self, disk: DiskWithoutSize) -> Observation:
        """SILENT for what is no SCSI drive, or does not answer."""
        try:
            fd = os.open(disk.node, _OPEN)
        except OSError as exc:
            return Observation(Stage.SILENT, os.strerror(exc.errno or 0))
        try:
            protocol = observe()
            reply: DriveReply | None = None
            while True:
                request = protocol.send(reply) if reply is not None else next(protocol)
                reply = self._send(fd, request) if isinstance(request, ScsiCommand) else NoReply("not a SCSI command")
        except StopIteration as stop:
            return cast("Observation", stop.value)
        except OSError as exc:
            return Observation(Stage.SILENT, os.strerror(exc.errno or 0))
        finally:
            os.close(fd)

    def _rescan(self, disk: DiskWithoutSize) -> None:
        path = f"{self._sysfs}{disk.folder}/device/rescan"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(fd, b"1")
            finally:
                os.close(fd)
        except OSError as exc:
            raise fault_from_oserror(path, "the capacity cannot be asked for again", exc) from exc
