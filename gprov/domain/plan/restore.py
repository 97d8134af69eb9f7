"""Facts → the operations of a factory restore, in the order that makes every cut survivable.

The first thing that goes is the old partition table: from then on the unit has no PRIMARY, so a cut leads to another
restore. The flag file comes last, after everything that it vouches for was flushed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gprov.domain.boot.bzimage import Comparison, KernelFacts, newest, parse_bzimage
from gprov.domain.boot.entries import EspLocation, wanted_entries
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.accounts import gid_of, ids_of, set_password_hash
from gprov.domain.disk.arrayrecord import ARRAY_FILE, array_record
from gprov.domain.disk.arrayspec import ArraySpec, capacity
from gprov.domain.disk.fstab import FstabFacts, FstabVolume, primary_fstab, render
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk, FileSystemKind, FileSystemSpec, Volume
from gprov.domain.disk.plan_layout import primary_table
from gprov.domain.errors import BadInput, HardwareMismatch, Problem
from gprov.domain.files import ROOT, Owner
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.name import ImageName
from gprov.domain.places import Places
from gprov.domain.plan.operations import (
    ArrayRef,
    ClearDisk,
    CopyFile,
    CopyKernel,
    CreateArray,
    CreatePartitionTable,
    ExtractImage,
    FlushVolume,
    MakeFileSystem,
    MakeFolder,
    MakeSymlink,
    MountVolume,
    Operation,
    PartitionRef,
    Place,
    Plan,
    RemovePath,
    RetireArrays,
    SetFlag,
    StopArray,
    UnmountVolume,
    UpdateBootEntries,
    WriteFile,
)
from gprov.domain.platform.facts import platform_facts
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.model import Platform
from gprov.domain.unit.credentials import PasswordHash
from gprov.domain.unit.hostid import host_identity
from gprov.domain.unit.netsaved import ARCHIVE

# Where older partition tables and RAID metadata live: both ends of a disk.
CLEARED_EDGE = 100 * MIB
FALLBACK_LOADER = "EFI/BOOT/BOOTX64.EFI"
FACTS_FILE = "platform_facts.json"
OPTIONS_FILE = "fr.data"
MDADM_CONFIG = "/etc/mdadm/mdadm.conf"


@dataclass(frozen=True, slots=True)
class NetworkFiles:
    """systemd-networkd configuration by file name. ``preserved`` is what the unit had before this restore."""

    defaults: Mapping[str, bytes] = field(default_factory=dict)
    preserved: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RestoreFacts:
    """All that the plan depends on, gathered before anything is touched.

    ``targets``: the disks that PRIMARY is on, in the order of their names; ``array``: what they become, None for a
    single disk.
    ``recovery_kernel`` and ``fallback_kernel`` (of the fallback loader) are None if they cannot be read.
    ``admin_password`` is None if no credentials were stored: the account then stays as the image has it.
    """

    branding: Branding
    places: Places
    firmware: FirmwareKind
    unit: Unit
    image: VerifiedImage
    name: ImageName
    targets: tuple[Disk, ...]
    recovery: Volume
    esp: Volume | None
    recovery_kernel: KernelFacts | None
    fallback_kernel: KernelFacts | None
    admin_password: PasswordHash | None
    network: NetworkFiles
    keep_options: bool
    ignore_saved_network: bool
    extra_arguments: str = ""
    recovery_kernel_wins: bool = False
    array: ArraySpec | None = None


def image_problems(image: VerifiedImage, branding: Branding, room: int | None = None) -> tuple[Problem, ...]:
    """Why this image, though intact, could never boot as an appliance. ``room``: bytes of the disk that it is for, if
    that is known."""
    problems = []
    files = image.files
    if room is not None and image.content_bytes > room:
        problems.append(Problem("", f"holds {image.content_bytes} bytes, more than the disk's {room}"))
    if not files.has_init:
        problems.append(Problem(branding.real_init, "is not in the image"))
    for path, content in (("/etc/passwd", files.passwd), ("/etc/shadow", files.shadow), ("/etc/group", files.group)):
        if content is None:
            problems.append(Problem(path, "is not in the image"))
    if files.passwd is not None and files.shadow is not None:
        try:
            ids_of(files.passwd, branding.admin)
            gid_of(files.group or b"", "systemd-journal")
            set_password_hash(files.shadow, branding.admin, PasswordHash("*"))
        except BadInput as error:
            problems.extend(Problem(f"/etc/{error.what}", str(problem)) for problem in error.problems)
    if files.kernel_start is None:
        problems.append(Problem(f"/boot/{branding.boot_kernel}", "is not in the image"))
    else:
        try:
            parse_bzimage(files.kernel_start)
        except BadInput as error:
            problems.extend(Problem(f"/boot/{branding.boot_kernel}", str(problem)) for problem in error.problems)
    return tuple(problems)


def check_boot_arguments(branding: Branding, extra_arguments: str) -> None:
    """Raises BadInput if boot entries with these arguments could not be stored. Asked before anything is changed:
    wherever the ESP is, its place takes the same room."""
    wanted_entries(branding, EspLocation(1, 0, 1, "00000000-0000-0000-0000-000000000000"), extra_arguments)


def refuse_unsupported(platform: Platform, firmware: FirmwareKind) -> None:
    """Raises HardwareMismatch for what this version cannot restore: nobody should provision it either."""
    code_name = platform.code_name
    if platform.fakeraid_type is not None:
        raise HardwareMismatch(f"{code_name}: RAID of the firmware ({platform.fakeraid_type.value}) is not supported")
    if platform.raid_level is not None:
        try:
            capacity(platform.raid_level, (platform.disk_size,) * platform.data_disks)
        except HardwareMismatch as mismatch:
            raise HardwareMismatch(f"{code_name}: {mismatch}") from mismatch
    elif platform.data_disks != 1:
        raise HardwareMismatch(f"{code_name}: {platform.data_disks} data disks, but no RAID level for them")
    if firmware is FirmwareKind.BIOS:
        raise HardwareMismatch(f"{code_name}: starting without UEFI is not supported yet")


def plan_restore(facts: RestoreFacts) -> Plan:
    """Raises HardwareMismatch for a platform that this version cannot restore, BadInput for what cannot be stored."""
    refuse_unsupported(facts.unit.platform, facts.firmware)
    if facts.esp is None or facts.esp.partition is None:
        label = facts.branding.esp_label
        raise HardwareMismatch(f"no {label} beside RECOVERY on {facts.recovery.disk.describe()}: nowhere for a kernel")
    check_boot_arguments(facts.branding, facts.extra_arguments)
    esp = PartitionRef(facts.esp.disk, facts.esp.partition.number)
    return (*_disk(facts), *_configuration(facts), _boot(facts, esp), *_kernels(facts), *_finish(facts))


def _disk(facts: RestoreFacts) -> list[Operation]:
    places = facts.places
    raid = facts.array is not None
    tables = [
        (disk, primary_table(facts.firmware, disk.size, raid=raid, names=facts.branding)) for disk in facts.targets
    ]
    members = tuple(PartitionRef(disk, table.partitions[-1].number) for disk, table in tables)
    primary = _primary(facts)
    kind = FileSystemKind.EXT4
    options = ("relatime", "discard") if facts.unit.platform.disk_is_ssd else ("relatime",)
    spec = FileSystemSpec(kind, facts.branding.primary_label, reserved_percent=1, encrypt=True)
    return [
        RetireArrays(facts.targets),
        *(ClearDisk(disk, CLEARED_EDGE, CLEARED_EDGE) for disk in facts.targets),
        *(CreatePartitionTable(disk, table) for disk, table in tables),
        *([CreateArray(facts.array, members)] if facts.array is not None else []),
        MakeFileSystem(primary, spec),
        MountVolume(primary, places.primary, kind.value, options),
        ExtractImage(facts.image, places.primary),
    ]


def _primary(facts: RestoreFacts) -> Place:
    """Where the system goes: the array, or the last partition of the one disk."""
    if facts.array is not None:
        return ArrayRef(facts.array.name)
    [target] = facts.targets
    table = primary_table(facts.firmware, target.size, raid=False, names=facts.branding)
    return PartitionRef(target, table.partitions[-1].number)


def _array_files(facts: RestoreFacts) -> list[Operation]:
    """The system's own mdadm knows the array by its UUID; and who is missing later is told by what the disks are called
    now."""
    if facts.array is None:
        return []
    root = facts.places.primary
    return [
        WriteFile(f"{root}{MDADM_CONFIG}", facts.array.config.encode()),
        WriteFile(f"{root}{facts.branding.config_folder}/{ARRAY_FILE}", array_record(facts.array, facts.targets)),
    ]


def _configuration(facts: RestoreFacts) -> list[Operation]:
    files, branding = facts.image.files, facts.branding
    root = facts.places.primary
    config = f"{root}{branding.config_folder}"
    identity = host_identity(facts.unit.serial, branding)
    passwd, group = files.passwd or b"", files.group or b""
    admin = ids_of(passwd, branding.admin)
    journal_group = gid_of(group, "systemd-journal")
    operations: list[Operation] = [
        WriteFile(f"{root}/etc/fstab", _fstab(facts, admin)),
        WriteFile(f"{root}/etc/hostname", f"{identity.hostname}\n".encode()),
        WriteFile(f"{root}/etc/hosts", identity.hosts.encode()),
        WriteFile(f"{root}/etc/machine-id", f"{identity.machine_id}\n".encode(), 0o444),
        MakeSymlink(f"{root}/etc/localtime", "/usr/share/zoneinfo/UTC"),
        MakeFolder(config),
        WriteFile(f"{config}/serial", f"{facts.unit.serial}\n".encode()),
        WriteFile(f"{config}/{FACTS_FILE}", platform_facts(facts.unit)),
        MakeFolder(f"{root}/var/log/journal", 0o2755, Owner(0, journal_group) if journal_group is not None else ROOT),
        WriteFile(f"{root}/{facts.name.disktag}", b"", 0o444),
    ]
    if facts.admin_password is not None:
        shadow = set_password_hash(files.shadow or b"", branding.admin, facts.admin_password)
        shadow_group = gid_of(group, "shadow")
        owner = Owner(0, shadow_group) if shadow_group is not None else ROOT
        operations.append(WriteFile(f"{root}/etc/shadow", shadow, 0o640 if shadow_group is not None else 0o600, owner))
    return [*operations, *_array_files(facts), *_network(facts)]


def _fstab(facts: RestoreFacts, admin: Owner) -> bytes:
    media = facts.unit.platform.recovery_media
    recovery = facts.recovery.contents
    esp = None
    if facts.esp is not None:
        esp = FstabVolume(f"UUID={facts.esp.contents.uuid}", FileSystemKind.VFAT, media.ssd)
    volumes = FstabFacts(
        # By label, as the boot entries name it: the file system is made anew by each restore.
        FstabVolume(f"LABEL={facts.branding.primary_label}", FileSystemKind.EXT4, facts.unit.platform.disk_is_ssd),
        FstabVolume(f"UUID={recovery.uuid}", FileSystemKind(recovery.kind), media.ssd),
        esp,
        extra_options=media.extra_options,
        override=media.override_options,
        places=facts.places,
    )
    return render(primary_fstab(volumes, admin)).encode()


def _network(facts: RestoreFacts) -> list[Operation]:
    systemd = f"{facts.places.primary}/etc/systemd"
    operations: list[Operation] = [MakeFolder(f"{systemd}/network-defaults"), MakeFolder(f"{systemd}/network")]
    operations += [
        WriteFile(f"{systemd}/network-defaults/{name}", content)
        for name, content in sorted(facts.network.defaults.items())
    ]
    used = facts.network.preserved or facts.network.defaults
    operations += [WriteFile(f"{systemd}/network/{name}", content) for name, content in sorted(used.items())]
    if facts.network.preserved:
        operations.append(WriteFile(f"{systemd}/network/.config-preserved", b""))
    return operations


def _boot(facts: RestoreFacts, esp: PartitionRef) -> Operation:
    """Before the kernels: where NVRAM was lost, the fallback loader is all that starts the unit, until the entries are
    there again. NVRAM that is full must not undo a restore: with that loader it boots all the same."""
    return UpdateBootEntries(esp, facts.branding, facts.extra_arguments, required=False)


def _kernels(facts: RestoreFacts) -> list[Operation]:
    """The kernel with the higher build number replaces the other. At each instant either the kernel that the boot
    entries name or the fallback copy is whole: FAT may lose a file that is being replaced.

    An ESP that is full or worn out keeps its old kernel, as long as it has one: a unit with that is better than none.
    """
    from_image = f"{facts.places.primary}/boot/{facts.branding.boot_kernel}"
    on_esp = f"{facts.places.esp}/{facts.branding.boot_kernel}"
    fallback = f"{facts.places.esp}/{FALLBACK_LOADER}"
    required = facts.recovery_kernel is None and facts.fallback_kernel is None
    winner = _winner(facts)
    if winner is Comparison.FIRST:
        targets = (fallback, on_esp) if facts.recovery_kernel is not None else (on_esp, fallback)
        return [CopyKernel(from_image, targets, required)]
    into_image = [CopyFile(on_esp, from_image)] if winner is Comparison.SECOND else []
    repair = [CopyKernel(on_esp, (fallback,), required)] if facts.fallback_kernel is None else []
    return [*into_image, *repair]


def _winner(facts: RestoreFacts) -> Comparison:
    """Between the image's kernel (first) and RECOVERY's."""
    if facts.recovery_kernel_wins and facts.recovery_kernel is not None:
        return Comparison.SECOND
    return newest(parse_bzimage(facts.image.files.kernel_start or b""), facts.recovery_kernel)


def _finish(facts: RestoreFacts) -> list[Operation]:
    places = facts.places
    operations: list[Operation] = [
        FlushVolume(places.primary),
        FlushVolume(places.esp),
        FlushVolume(places.recovery),
        SetFlag(f"{places.primary}/{facts.branding.flag_file}"),
        FlushVolume(places.primary),
        UnmountVolume(places.primary),
        # What stays of it now, the kernel ends with the reboot.
        *([StopArray(ArrayRef(facts.array.name), required=False)] if facts.array is not None else []),
    ]
    # From here on the unit boots. RECOVERY that has become read-only must not undo that.
    if facts.ignore_saved_network:
        operations.append(RemovePath(f"{places.recovery}/{facts.branding.log_folder}/{ARCHIVE}", required=False))
    if not facts.keep_options:
        operations.append(RemovePath(f"{places.recovery}/{OPTIONS_FILE}", required=False))
    return operations
