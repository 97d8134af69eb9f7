"""Plan of a factory restore: facts → operations. After a power cut at any point, the unit restores again or boots.

The old partition table is removed first: without PRIMARY, a power cut leads to another restore. The flag file is
written last, after all other writes were flushed.
"""

from __future__ import annotations

from gprov.domain.boot.kept_arguments import serialise_kept
from gprov.domain.disk.arrayspec import ArraySpec
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import FileSystemKind, FileSystemSpec
from gprov.domain.errors import HardwareMismatch
from gprov.domain.formats.accounts import ids_of
from gprov.domain.formats.bzimage import Comparison, newest
from gprov.domain.formats.owner import ROOT
from gprov.domain.image.modules import modules_problem
from gprov.domain.plan.bios import (
    NormalMenus,
    check_disks,
    fill_boot_volumes,
    make_boot_volumes,
    write_grub4dos_menu,
    write_recovery_menu,
)
from gprov.domain.plan.disk_operations import (
    ArrayRef,
    ClearDisk,
    CreateArray,
    CreatePartitionTable,
    DismantleArrays,
    ExtractImage,
    FlushVolume,
    MakeFileSystem,
    MountVolume,
    PartitionRef,
    StopArray,
    UnmountVolume,
    UpdateBootEntries,
    VolumeRef,
)
from gprov.domain.plan.file_operations import RemovePath, ReplacePlainText, SetFlag, SetOwner, WriteFile
from gprov.domain.plan.kernels import image_kernel, kernel_paths, plan_kernels
from gprov.domain.plan.operations import Operation, Plan
from gprov.domain.plan.preconditions import check_boot_arguments, check_platform_supported
from gprov.domain.plan.restore_facts import RestoreFacts
from gprov.domain.plan.system_files import plan_unit_files
from gprov.domain.recovery_files import (
    IMAGE_FOLDER,
    KEPT_ARGUMENTS_FILE,
    OPTIONS_FILE,
    SAVED_NETWORK_FILE,
    SECRETS_FOLDER,
)

# Bytes at both ends of a disk that may hold old partition tables and RAID metadata.
CLEARED_EDGE = 100 * MIB


def plan_restore(facts: RestoreFacts) -> Plan:
    """Raises HardwareMismatch for a platform that this version cannot restore, BadInput for boot arguments that cannot
    be stored."""
    check_platform_supported(facts.unit.platform)
    check_boot_arguments(facts.firmware, facts.branding, facts.extra_arguments)
    if facts.bios:
        check_disks(facts.loader, facts.tables)
    return (
        *_disk(facts),
        *plan_unit_files(facts),
        *(_recovery_files(facts) if facts.recovery is not None else []),
        *_start_files(facts),
        *_boot_partitions(facts),
        *_finish(facts),
    )


def modules_warning(facts: RestoreFacts) -> str:
    """What the kernel that the unit starts with means for the modules in the image, if it is not theirs; "" if there is
    nothing to say. RECOVERY's kernel stays unless the image's is newer: its modules are in no image but its own."""
    from_image = image_kernel(facts.image)
    newer = _newer_kernel(facts)
    # Kernels of the same number do not replace each other. UEFI starts RECOVERY's, BIOS that of the boot partition.
    kept = newer is Comparison.SECOND or (newer is Comparison.SAME and not facts.bios)
    stays = facts.kernels.main if kept else None
    kernel = stays or from_image
    problem = modules_problem(facts.image.files.module_releases, kernel)
    if not problem or kernel == from_image:
        return problem and f"the image holds {problem}"
    reason = f"RECOVERY's kernel {kernel.release} {kernel.version.split(' ')[0]} stays"
    return f"{reason}; the image has {from_image.release} {from_image.version.split(' ')[0]} and holds {problem}"


def _recovery_files(facts: RestoreFacts) -> list[Operation]:
    return [
        *_replace_secrets(facts),
        *_keep_arguments(facts),
        *(SetOwner(path, ROOT, required=False) for path in facts.foreign),
        *_recovery_folders(facts),
    ]


def _start_files(facts: RestoreFacts) -> list[Operation]:
    """Menus, boot entries and kernels outside of PRIMARY. A unit without RECOVERY has no place for them but an ESP."""
    if facts.recovery is None and (facts.bios or facts.esp is None):
        return []
    boot = _recovery_menus(facts) if facts.bios else _boot_entries(facts)
    return [*boot, *_kernels(facts)]


def _disk(facts: RestoreFacts) -> list[Operation]:
    mount_points = facts.mount_points
    tables = facts.tables
    members = tuple(PartitionRef(disk, table.partitions[-1].number) for disk, table in tables)
    primary = _primary(facts)
    kind = FileSystemKind.EXT4
    options = ("relatime", "discard") if facts.unit.platform.disk_is_ssd else ("relatime",)
    spec = FileSystemSpec(
        kind=kind, label=facts.branding.primary_label, reserved_percent=1, encrypt=True, uuid=facts.primary_uuid
    )
    return [
        DismantleArrays(facts.targets),
        *(ClearDisk(disk, CLEARED_EDGE, CLEARED_EDGE) for disk in facts.targets),
        *(CreatePartitionTable(disk, table, facts.loader) for disk, table in tables),
        *make_boot_volumes(facts.boot_volumes, facts.branding),
        *(_create_array(facts, facts.array, members) if facts.array is not None else []),
        MakeFileSystem(primary, spec),
        MountVolume(primary, mount_points.primary, kind.value, options),
        ExtractImage(facts.image, mount_points.primary),
    ]


def _create_array(facts: RestoreFacts, array: ArraySpec, members: tuple[PartitionRef, ...]) -> list[Operation]:
    """Dismantle again before the array is created: old superblocks outside the cleared edges become visible with the
    new partitions, and after a power cut an old member could be mistaken for a new one."""
    return [DismantleArrays(facts.targets), CreateArray(array, members)]


def _primary(facts: RestoreFacts) -> VolumeRef:
    """The volume of PRIMARY: the array, or the last partition of the only disk."""
    if facts.array is not None:
        return ArrayRef(facts.array.name)
    [(target, table)] = facts.tables
    return PartitionRef(target, table.partitions[-1].number)


def _replace_secrets(facts: RestoreFacts) -> list[Operation]:
    """Replace passwords in plain text by a hash, and secrets that can be read by sealed ones. Optional: a read-only
    RECOVERY keeps them."""
    recovery = facts.mount_points.recovery
    return [
        ReplacePlainText(
            path=f"{recovery}/{SECRETS_FOLDER}/{one.file.name}",
            content=one.file.content,
            plain_text=f"{recovery}/{one.plain_text}",
            required=False,
        )
        for one in facts.replaced_secrets
    ]


def _keep_arguments(facts: RestoreFacts) -> list[Operation]:
    """Store the kept arguments, before restore options, which may have set some, are removed. Empty if the file is
    correct already, to limit wear."""
    content = serialise_kept(facts.extra_arguments)
    if facts.kept_arguments in (content, None):
        return []
    return [
        WriteFile(
            path=f"{facts.mount_points.recovery}/{KEPT_ARGUMENTS_FILE}", content=content, mode=0o600, required=False
        )
    ]


def _recovery_folders(facts: RestoreFacts) -> list[Operation]:
    """RECOVERY's folders of images and logs for admin, if the platform says so. Not the root folder: its owner could
    replace the kernel's menu and the secrets in it. Optional: a read-only RECOVERY must not stop a restore."""
    if not facts.unit.platform.recovery_media.admin_owns_folders:
        return []
    recovery = facts.mount_points.recovery
    admin = ids_of(facts.image.files.passwd or b"", facts.branding.admin)
    folders = (IMAGE_FOLDER, facts.branding.log_folder)
    return [SetOwner(f"{recovery}/{folder}", admin, required=False) for folder in folders]


def _boot_entries(facts: RestoreFacts) -> list[Operation]:
    """Write the boot entries before the kernels: if NVRAM was lost, only the fallback loader boots the unit until the
    entries exist again. Full NVRAM does not stop a restore: the fallback loader still boots the unit."""
    if facts.esp is None or facts.esp.partition is None:
        label, recovery = facts.branding.esp_label, facts.recovery
        disk = f" {recovery.disk.describe()}" if recovery is not None else ""
        raise HardwareMismatch(f"no {label} partition on the RECOVERY disk{disk}: cannot store the boot kernel")
    esp = PartitionRef(facts.esp.disk, facts.esp.partition.number)
    return [UpdateBootEntries(esp, facts.branding, facts.extra_arguments, required=False)]


def _recovery_menus(facts: RestoreFacts) -> list[Operation]:
    """Optional if RECOVERY has a menu of any loader already, so that a read-only RECOVERY does not stop a restore."""
    where = (facts.mount_points, facts.branding, facts.extra_arguments)
    grub4dos = facts.grub4dos_menu
    required = not facts.recovery_menu and grub4dos is None
    operations = write_recovery_menu(*where, facts.recovery_menu, required=required)
    return operations if grub4dos is None else [*operations, *write_grub4dos_menu(*where, grub4dos)]


def _kernels(facts: RestoreFacts) -> list[Operation]:
    """The kernel with the higher build number replaces the other one."""
    copies = kernel_paths(facts.firmware, facts.mount_points, facts.branding)
    newer = _newer_kernel(facts)
    return plan_kernels(_image_kernel(facts), copies, newer, facts.kernels)


def _boot_partitions(facts: RestoreFacts) -> list[Operation]:
    """Runs after ``_kernels``, when the kernel on PRIMARY is the newest."""
    return fill_boot_volumes(
        facts.boot_volumes,
        _image_kernel(facts),
        facts.mount_points,
        facts.branding,
        NormalMenus(facts.primary_uuid, facts.extra_arguments, grub4dos=facts.grub4dos_menu is not None),
    )


def _image_kernel(facts: RestoreFacts) -> str:
    return f"{facts.mount_points.primary}/boot/{facts.branding.boot_kernel}"


def _newer_kernel(facts: RestoreFacts) -> Comparison:
    """Compare the image's kernel (first) with RECOVERY's (second)."""
    if facts.force_recovery_kernel and (facts.kernels.main or facts.kernels.second):
        return Comparison.SECOND
    return newest(image_kernel(facts.image), facts.kernels.main)


def _flush_recovery(facts: RestoreFacts) -> list[Operation]:
    """Flushing a read-only or worn RECOVERY may fail: the previous kernel remains usable. The flush is required if
    there was no usable kernel before."""
    mount_points = facts.mount_points
    kernel_volume = mount_points.recovery if facts.bios else mount_points.esp
    volumes = [] if facts.recovery is None else [mount_points.recovery]
    if facts.esp is not None and not facts.bios:
        volumes.insert(0, mount_points.esp)
    return [FlushVolume(volume, required=facts.kernels.missing and volume == kernel_volume) for volume in volumes]


def _finish(facts: RestoreFacts) -> list[Operation]:
    mount_points = facts.mount_points
    operations: list[Operation] = [
        FlushVolume(mount_points.primary),
        *_flush_recovery(facts),
        SetFlag(f"{mount_points.primary}/{facts.branding.flag_file}"),
        FlushVolume(mount_points.primary),
        UnmountVolume(mount_points.primary),
        # Optional: the reboot stops the array too.
        *([StopArray(ArrayRef(facts.array.name), required=False)] if facts.array is not None else []),
    ]
    # The unit is bootable from here on. A read-only RECOVERY must not turn this into a failure.
    if facts.recovery is None:
        return operations
    if facts.ignore_saved_network:
        operations.append(
            RemovePath(f"{mount_points.recovery}/{facts.branding.log_folder}/{SAVED_NETWORK_FILE}", required=False)
        )
    if not facts.keep_options:
        operations.append(RemovePath(f"{mount_points.recovery}/{OPTIONS_FILE}", required=False))
    return operations
