"""DriveQueries and DriveCommands of the simulated machine: commands reach the drive of a disk, if it has one."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from gprov.adapters.fake.disk.block import described
from gprov.adapters.fake.drives.store import Store
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakeDisk
from gprov.domain.disk.model import Disk
from gprov.domain.erase.drive_io import NoReply, NvmeCommand, NvmeReply, ScsiCommand, ScsiReply
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.read_only import reads_only
from gprov.domain.errors import DeviceFault, DeviceMissing, InternalError
from gprov.ports.destructive.drive_commands import DriveCommands
from gprov.ports.drives import BusyDrive, DriveQueries, UnreadyDrives

_NO_DRIVE = NoReply("the simulated disk has no drive that takes such commands")


class MediaStore(Store):
    """Lets a simulated drive read, write and erase the media of a simulated disk."""

    def __init__(self, disk: FakeDisk) -> None:
        self._disk = disk

    @override
    def read(self, offset: int, size: int) -> bytes:
        return self._disk.media.read(Extent(offset, offset + size))

    @override
    def write(self, offset: int, data: bytes) -> None:
        extent = Extent(offset, offset + len(data))
        self._disk.lose(extent)
        self._disk.media.put(extent, data)

    @override
    def erase(self, byte: int | None) -> None:
        self._disk.erase_contents(byte)


@dataclass
class ErasesMedia:
    """What a simulated NVMe drive calls when a namespace is erased: its data disk loses its contents. Copied together
    with the disk, unlike a closure."""

    disk: FakeDisk

    def __call__(self, _number: int, byte: int | None) -> None:
        self.disk.erase_contents(byte)


class FakeDriveQueries(DriveQueries):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def scsi(self, disk: Disk, command: ScsiCommand) -> ScsiReply | NoReply:
        self._require_reading(command)
        return _scsi(self._machine, disk, command)

    @override
    def nvme(self, disk: Disk, command: NvmeCommand) -> NvmeReply | NoReply:
        self._require_reading(command)
        return _nvme(self._machine, disk, command)

    def _require_reading(self, command: ScsiCommand | NvmeCommand) -> None:
        if not reads_only(command):
            raise InternalError("a query to a drive must not change it")


class FakeDriveCommands(DriveCommands):
    """Power cuts happen before each command."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def scsi(self, disk: Disk, command: ScsiCommand) -> ScsiReply | NoReply:
        self._require_unused(disk)
        return _scsi(self._machine, disk, command)

    @override
    def nvme(self, disk: Disk, command: NvmeCommand) -> NvmeReply | NoReply:
        self._require_unused(disk)
        return _nvme(self._machine, disk, command)

    @override
    def reread(self, disk: Disk) -> None:
        self._require_unused(disk)

    def _require_unused(self, disk: Disk) -> None:
        machine = self._machine
        machine.begin_write(f"command to {disk.node}")
        present = described(machine)
        now = next((found for found in present if found.device == disk.device), None)
        if now is None:
            raise DeviceMissing(disk.node, "was removed")
        if problem := disk.exchanged(now, present):
            raise DeviceFault(disk.node, problem)
        volumes = machine.disk(disk.device).volumes()
        if any(mount.volume is volume for mount in machine.mounts for volume in volumes):
            raise DeviceFault(disk.node, "is in use: a partition is mounted")


class FakeUnreadyDrives(UnreadyDrives):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def sanitizing(self) -> tuple[BusyDrive, ...]:
        self._machine.begin_read("look for drives without capacity")
        for disk in self._machine.disks:
            if disk.scsi_drive is not None and disk.scsi_drive.states_capacity:
                disk.without_size = False
        return tuple(BusyDrive(disk.node, None) for disk in self._machine.disks if disk.without_size)


def _scsi(machine: SimulatedMachine, disk: Disk, command: ScsiCommand) -> ScsiReply | NoReply:
    drive = _drive_of(machine, disk).scsi_drive
    return drive.scsi(command) if drive is not None else _NO_DRIVE


def _nvme(machine: SimulatedMachine, disk: Disk, command: NvmeCommand) -> NvmeReply | NoReply:
    drive = _drive_of(machine, disk).nvme_drive
    return drive.nvme(command) if drive is not None else _NO_DRIVE


def _drive_of(machine: SimulatedMachine, disk: Disk) -> FakeDisk:
    machine.begin_read(f"query {disk.node}")
    return machine.disk(disk.device)
