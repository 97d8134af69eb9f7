"""Plans of provisioning: facts → operations that turn a blank machine into a unit that restores itself.

There are several plans, since downloads and provisioning steps run in between: create RECOVERY, store secrets, write
restore options, make the machine bootable. The last one runs after everything on RECOVERY was verified. Until the
fallback loader exists, the firmware finds nothing to boot, so that after a power cut the machine boots over the network
again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.install import Loader
from gprov.domain.boot.kept_arguments import serialise_kept
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk, FileSystemKind, FileSystemSpec
from gprov.domain.disk.plan_layout import recovery_table
from gprov.domain.errors import HardwareMismatch
from gprov.domain.mountpoints import MountPoints
from gprov.domain.plan.bios import check_disks, write_recovery_menu
from gprov.domain.plan.disk_operations import (
    ClearDisk,
    CreatePartitionTable,
    FlushVolume,
    MakeFileSystem,
    MountVolume,
    PartitionRef,
    UpdateBootEntries,
)
from gprov.domain.plan.file_operations import CopyFile, MakeFolder, MakeSymlink, WriteFile
from gprov.domain.plan.kernels import kernel_paths
from gprov.domain.plan.operations import Operation, Plan
from gprov.domain.plan.preconditions import check_boot_arguments, check_platform_supported
from gprov.domain.plan.restore import CLEARED_EDGE
from gprov.domain.platform.identify import Unit
from gprov.domain.recovery_files import (
    KEPT_ARGUMENTS_FILE,
    OPTIONS_FILE,
    PLATFORM_IDENT,
    SECRETS_FOLDER,
    TRUST_FILE,
)
from gprov.domain.unit.restore_options import RestoreOptions, serialise_options
from gprov.domain.unit.secret_file import SecretFile
from gprov.domain.unit.trust import ServerTrust, serialise_trust

# Covers the start of the first partition: old boot files there must not be booted before RECOVERY is complete.
RECOVERY_EDGE = 16 * MIB
ESP_NUMBER = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionFacts:
    """``recovery``: the disk that becomes RECOVERY; ``targets``: the disks whose tables are cleared. ``loader``: boot
    loader for BIOS, None on UEFI. ``trust``: how the unit verifies https servers later, None if it uses none."""

    branding: Branding
    mount_points: MountPoints
    firmware: FirmwareKind
    unit: Unit
    recovery: Disk
    targets: tuple[Disk, ...]
    options: RestoreOptions
    extra_arguments: str = ""
    loader: Loader | None = field(default=None, repr=False)
    trust: ServerTrust | None = None


def recovery_file_system(unit: Unit) -> FileSystemKind:
    """Return the file system for RECOVERY: the first of the platform's ``FsType`` list. Raises HardwareMismatch unless
    it is ext3 or ext4."""
    kind = next(iter(unit.platform.recovery_media.fs_types), None)
    if kind not in (FileSystemKind.EXT3, FileSystemKind.EXT4):
        text = kind.value if kind is not None else "without a file system"
        raise HardwareMismatch(f"{unit.platform.code_name}: RECOVERY cannot be {text} (ext3 or ext4)")
    return kind


def plan_recovery(facts: ProvisionFacts, *, wipe: bool = True) -> Plan:
    """Partition, format and mount RECOVERY. Raises HardwareMismatch (too small, not supported), BadInput
    (arguments that no boot entry can hold)."""
    check_platform_supported(facts.unit.platform)
    check_boot_arguments(facts.firmware, facts.branding, facts.extra_arguments)
    kind = recovery_file_system(facts.unit)
    table = recovery_table(facts.firmware, facts.recovery.size, facts.branding)
    recovery = PartitionRef(facts.recovery, table.partitions[-1].number)
    mount_points, branding = facts.mount_points, facts.branding
    esp = PartitionRef(facts.recovery, ESP_NUMBER) if facts.firmware is FirmwareKind.UEFI else None
    if esp is None:
        check_disks(facts.loader, [(facts.recovery, table)])
    return (
        *(_remove_boot_loaders(facts.targets) if wipe and esp is None else ()),
        ClearDisk(facts.recovery, RECOVERY_EDGE, RECOVERY_EDGE),
        CreatePartitionTable(facts.recovery, table, facts.loader),
        *(
            [MakeFileSystem(esp, FileSystemSpec(kind=FileSystemKind.VFAT, label=branding.esp_label))]
            if esp is not None
            else []
        ),
        MakeFileSystem(recovery, FileSystemSpec(kind=kind, label=branding.recovery_label)),
        MountVolume(recovery, mount_points.recovery, kind.value, ("relatime",)),
        *(_mount_esp(esp, mount_points.esp) if esp is not None else []),
        MakeFolder(f"{mount_points.recovery}/Image"),
        MakeFolder(f"{mount_points.recovery}/{branding.log_folder}"),
    )


def _remove_boot_loaders(targets: tuple[Disk, ...]) -> list[Operation]:
    """Make the primary disks of a used BIOS unit unbootable before its RECOVERY is overwritten. Otherwise a power cut
    could leave a unit that boots its old system without a RECOVERY."""
    return [ClearDisk(disk, MIB, MIB) for disk in targets]


def _mount_esp(esp: PartitionRef, target: str) -> list[Operation]:
    return [MakeFolder(target), MountVolume(esp, target, FileSystemKind.VFAT.value, ("relatime",))]


def plan_secret(facts: ProvisionFacts, file: SecretFile) -> Plan:
    """Store a secret, readable by root only: the unit's own secret, or the hash of the admin password. No other
    password is stored on the unit."""
    folder = f"{facts.mount_points.recovery}/{SECRETS_FOLDER}"
    return (
        MakeFolder(folder, 0o700),
        WriteFile(path=f"{folder}/{file.name}", content=file.content, mode=0o600),
    )


def plan_restore_options(facts: ProvisionFacts) -> Plan:
    """Write restore options for the first restore, kept arguments, and the code name of a unit identified by fallback.
    The unit is not bootable yet."""
    mount_points = facts.mount_points
    kernel = facts.branding.boot_kernel
    uefi = facts.firmware is FirmwareKind.UEFI
    operations: list[Operation] = []
    if uefi:
        operations.append(MakeSymlink(f"{mount_points.recovery}/{kernel}", f"{facts.branding.esp_label}/{kernel}"))
    operations.append(
        WriteFile(path=f"{mount_points.recovery}/{OPTIONS_FILE}", content=serialise_options(facts.options), mode=0o600)
    )
    operations.append(
        WriteFile(
            path=f"{mount_points.recovery}/{KEPT_ARGUMENTS_FILE}",
            content=serialise_kept(facts.extra_arguments),
            mode=0o600,
        )
    )
    if facts.trust is not None:
        content = serialise_trust(facts.trust)
        operations.append(WriteFile(path=f"{mount_points.recovery}/{TRUST_FILE}", content=content))
    if facts.unit.by_fallback:
        ident = f"{facts.unit.platform.code_name}\n".encode()
        operations.append(WriteFile(path=f"{mount_points.recovery}/{PLATFORM_IDENT}", content=ident))
    return (*operations, *([FlushVolume(mount_points.esp)] if uefi else []), FlushVolume(mount_points.recovery))


def plan_make_bootable(facts: ProvisionFacts, *, wipe: bool = True) -> Plan:
    """The last changes: clear the targets (unless ``wipe`` is off), write the second kernel, then the boot entries or
    RECOVERY's menu. RECOVERY and ESP are mounted. After a power cut in this plan, the unit boots over the network again
    or restores itself."""
    mount_points = facts.mount_points
    kernels = kernel_paths(facts.firmware, mount_points, facts.branding)
    operations: list[Operation] = [ClearDisk(disk, CLEARED_EDGE, CLEARED_EDGE) for disk in facts.targets if wipe]
    operations.append(CopyFile(kernels.main, kernels.second, 0o755))
    if facts.firmware is FirmwareKind.BIOS:
        menu = write_recovery_menu(mount_points, facts.branding, facts.extra_arguments)
        return (*operations, FlushVolume(mount_points.recovery), *menu)
    entries = UpdateBootEntries(PartitionRef(facts.recovery, ESP_NUMBER), facts.branding, facts.extra_arguments)
    return (*operations, FlushVolume(mount_points.esp), entries)
