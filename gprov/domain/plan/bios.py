"""Plans the files that BIOS units boot from: boot loaders on the disks, boot partitions, menus.

Each disk alone can boot the unit. RECOVERY is bootable at all times. The boot partition of a primary disk gets its menu
last: boot loaders ignore a boot partition without a menu.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gprov.domain.boot.grub.grub4dos import (
    FALLBACK_MENU,
    PRIMARY_MENU,
    grub4dos_fallback_menu,
    grub4dos_primary_menu,
)
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


@dataclass(frozen=True, slots=True)
class NormalMenus:
    """What the menus of the boot partitions start. ``grub4dos``: RECOVERY has this loader, which needs its own menu."""

    primary_uuid: str
    extra_arguments: str
    grub4dos: bool = False

    def files(self, volume: BootVolume, volumes: Sequence[BootVolume], branding: Branding) -> dict[str, str]:
        """Menus of one boot partition by path, in the order in which they are written."""
        others = [other.uuid for other in volumes if other is not volume]
        own = {NORMAL_MENU: normal_menu(branding, self.primary_uuid, self.extra_arguments, others)}
        if not self.grub4dos:
            return own
        return {PRIMARY_MENU: grub4dos_primary_menu(branding, self.primary_uuid, self.extra_arguments), **own}


def fill_boot_volumes(
    volumes: Sequence[BootVolume], kernel: str, mount_points: MountPoints, branding: Branding, menus: NormalMenus
) -> list[Operation]:
    """Fill one boot partition after the other: first the kernel, then the menus. ``kernel``: path of the newest one."""
    operations: list[Operation] = []
    root = mount_points.boot
    for volume in volumes:
        operations += [
            MountVolume(volume.partition, root, BOOT_KIND.value, ("relatime",)),
            CopyFile(kernel, f"{root}/{branding.boot_kernel}"),
            FlushVolume(root),
            *(
                WriteFile(path=f"{root}/{name}", content=menu.encode())
                for name, menu in menus.files(volume, volumes, branding).items()
            ),
            FlushVolume(root),
            UnmountVolume(root),
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


def write_grub4dos_menu(
    mount_points: MountPoints, branding: Branding, extra_arguments: str, current: bytes
) -> list[Operation]:
    """Replace the fallback menu of grub4dos on RECOVERY, unless ``current`` is correct. Optional: the menus on the boot
    partitions suffice to start the restored system."""
    menu = grub4dos_fallback_menu(branding, extra_arguments).encode()
    if menu == current:
        return []
    path = f"{mount_points.recovery}/{FALLBACK_MENU}"
    return [WriteFile(path=path, content=menu, required=False), FlushVolume(mount_points.recovery, required=False)]
