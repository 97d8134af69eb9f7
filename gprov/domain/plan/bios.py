"""Plans the files that BIOS units boot from: boot loaders on the disks, boot partitions, menus.

Each disk alone can boot the unit. RECOVERY is bootable at all times. The boot partition of a primary disk gets its menu
last: boot loaders ignore a boot partition without a menu.
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

# Without a journal: GRUB does not replay journals and could read outdated files.
BOOT_KIND = FileSystemKind.EXT2


@dataclass(frozen=True, slots=True)
class BootVolume:
    """The boot partition of one primary disk. ``uuid``: of its new file system; ``target``: mount point on PRIMARY."""

    partition: PartitionRef
    uuid: str
    target: str


def check_disks(loader: Loader | None, tables: Sequence[tuple[Disk, PartitionTable]]) -> None:
    """Raises HardwareMismatch, BadInput if these disks cannot be made bootable."""
    if loader is None:
        raise HardwareMismatch("the initramfs contains no boot loader for BIOS")
    for disk, table in tables:
        check_loader(loader, disk, table)


def check_menu_arguments(branding: Branding, extra_arguments: str) -> None:
    """Raises BadInput if the menus cannot pass these arguments."""
    recovery_menu(branding, extra_arguments)


def boot_volumes(
    tables: Sequence[tuple[Disk, PartitionTable]], mount_points: MountPoints, restore_id: str
) -> tuple[BootVolume, ...]:
    """The boot partition of each disk: the last but one."""
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
    """Fill one boot partition after the other: first the kernel, then the menu. ``kernel``: path of the newest one."""
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
    """Empty if ``current`` is correct already: this limits wear, and GRUB may fail to read a file during its
    replacement."""
    menu = recovery_menu(branding, extra_arguments).encode()
    path = f"{mount_points.recovery}/{RECOVERY_MENU}"
    return (
        []
        if menu == current
        else [WriteFile(path=path, content=menu, required=required), FlushVolume(mount_points.recovery, required)]
    )
