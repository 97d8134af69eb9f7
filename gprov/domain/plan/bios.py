"""What a unit needs to start from BIOS: loaders on its disks, boot partitions, menus.

Every disk can start the unit by itself. RECOVERY comes first and is left startable all the time; the boot partition of
a primary disk gets its menu last of all, which is what makes a loader take it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gprov.domain.boot.grub.install import Loader, check_loader
from gprov.domain.boot.grub.menus import NORMAL_MENU, normal_menu, recovery_menu
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import Disk, FileSystemKind, FileSystemSpec
from gprov.domain.disk.primary_fstab import FstabVolume
from gprov.domain.disk.uuids import volume_uuid
from gprov.domain.errors import HardwareMismatch
from gprov.domain.mountpoints import MountPoints
from gprov.domain.plan.disk_operations import FlushVolume, MakeFileSystem, MountVolume, PartitionRef, UnmountVolume
from gprov.domain.plan.file_operations import CopyFile, WriteFile
from gprov.domain.plan.operations import Operation
from gprov.domain.recovery_files import RECOVERY_MENU

# Without a journal: GRUB replays none, and would see what was there before.
BOOT_KIND = FileSystemKind.EXT2


@dataclass(frozen=True, slots=True)
class BootVolume:
    """The boot partition of one primary disk, as this restore makes it. ``target``: where the system mounts it."""

    partition: PartitionRef
    uuid: str
    target: str


def check_disks(loader: Loader | None, tables: Sequence[tuple[Disk, PartitionTable]]) -> None:
    """Raises HardwareMismatch, BadInput if these disks cannot be made startable."""
    if loader is None:
        raise HardwareMismatch("this kernel holds no boot loader for BIOS")
    for disk, table in tables:
        check_loader(loader, disk, table)


def check_menu_arguments(branding: Branding, extra_arguments: str) -> None:
    """Raises BadInput if the menus cannot pass these arguments."""
    recovery_menu(branding, extra_arguments)


def boot_volumes(
    tables: Sequence[tuple[Disk, PartitionTable]], mount_points: MountPoints, restore_id: str
) -> tuple[BootVolume, ...]:
    """One on each disk: the partition before the last."""
    return tuple(
        BootVolume(
            PartitionRef(disk, table.partitions[-2].number),
            volume_uuid(restore_id, "boot", str(index)),
            f"{mount_points.boot}{index}",
        )
        for index, (disk, table) in enumerate(tables)
    )


def make_boot_volumes(volumes: Sequence[BootVolume], branding: Branding) -> list[Operation]:
    return [
        MakeFileSystem(
            volume.partition,
            FileSystemSpec(kind=BOOT_KIND, label=branding.boot_label, reserved_percent=0, uuid=volume.uuid),
        )
        for volume in volumes
    ]


def fill_boot_volumes(
    volumes: Sequence[BootVolume],
    kernel: str,
    primary_uuid: str,
    mount_points: MountPoints,
    branding: Branding,
    extra_arguments: str,
) -> list[Operation]:
    """One after the other: kernel, then the menu that starts it. ``kernel``: path of the newest one."""
    operations: list[Operation] = []
    for volume in volumes:
        others = [other.uuid for other in volumes if other is not volume]
        menu = normal_menu(branding, primary_uuid, extra_arguments, others)
        operations += [
            MountVolume(volume.partition, mount_points.boot, BOOT_KIND.value, ("relatime",)),
            CopyFile(kernel, f"{mount_points.boot}/{branding.boot_kernel}"),
            FlushVolume(mount_points.boot),
            WriteFile(path=f"{mount_points.boot}/{NORMAL_MENU}", content=menu.encode()),
            FlushVolume(mount_points.boot),
            UnmountVolume(mount_points.boot),
        ]
    return operations


def boot_fstab(volumes: Sequence[BootVolume], ssd: bool) -> tuple[tuple[FstabVolume, str], ...]:
    return tuple((FstabVolume(f"UUID={volume.uuid}", BOOT_KIND, ssd), volume.target) for volume in volumes)


def write_recovery_menu(
    mount_points: MountPoints, branding: Branding, extra_arguments: str, current: bytes = b"", *, required: bool = True
) -> list[Operation]:
    """Nothing if it is right already: RECOVERY wears, and a loader may not find a file that is being replaced."""
    menu = recovery_menu(branding, extra_arguments).encode()
    path = f"{mount_points.recovery}/{RECOVERY_MENU}"
    return (
        []
        if menu == current
        else [WriteFile(path=path, content=menu, required=required), FlushVolume(mount_points.recovery, required)]
    )
