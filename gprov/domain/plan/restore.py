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
from gprov.domain.boot.grub.install import Loader
from gprov.domain.branding import Branding
from gprov.domain.disk.accounts import gid_of, ids_of, set_password_hash
from gprov.domain.disk.arrayrecord import ARRAY_FILE, array_record
from gprov.domain.disk.arrayspec import ArraySpec, capacity
from gprov.domain.disk.fstab import FstabFacts, FstabVolume, primary_fstab, render
from gprov.domain.disk.layout import MIB, PartitionTable
from gprov.domain.disk.model import Disk, FileSystemKind, FileSystemSpec, Volume
from gprov.domain.disk.plan_layout import primary_table
from gprov.domain.disk.uuids import volume_uuid
from gprov.domain.errors import BadInput, HardwareMismatch, Problem
from gprov.domain.files import ROOT, Owner
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.name import ImageName
from gprov.domain.places import Places
from gprov.domain.plan.bios import (
    BootVolume,
    boot_fstab,
    boot_volumes,
    check_disks,
    check_menu_arguments,
    fill_boot_volumes,
    make_boot_volumes,
    write_recovery_menu,
)
from gprov.domain.plan.kernels import kernel_places, plan_kernels
from gprov.domain.plan.operations import (
    ArrayRef,
    ClearDisk,
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
from gprov.domain.unit.netsaved import ARCHIVE, MARKER, SavedFile

# Where older partition tables and RAID metadata live: both ends of a disk.
CLEARED_EDGE = 100 * MIB
FACTS_FILE = "platform_facts.json"
OPTIONS_FILE = "fr.data"
MDADM_CONFIG = "/etc/mdadm/mdadm.conf"


@dataclass(frozen=True, slots=True)
class NetworkFiles:
    """systemd-networkd configuration by path below its folder. ``preserved``: what the unit had before this restore."""

    defaults: Mapping[str, bytes] = field(default_factory=dict)
    preserved: Mapping[str, SavedFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RestoreFacts:
    """All that the plan depends on, gathered before anything is touched.

    ``targets``: the disks that PRIMARY is on, in the order of their names; ``array``: what they become, None for a
    single disk.
    ``recovery_kernel`` and ``fallback_kernel``, RECOVERY's two copies (``kernel_places``), are None if unusable.
    ``admin_password`` is None if no credentials were stored: the account then stays as the image has it.
    On BIOS: ``loader`` for the targets; ``restore_id``, which no other restore has, for the UUIDs of new volumes;
    ``recovery_menu``: RECOVERY's as it is, empty if there is none.
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
    loader: Loader | None = field(default=None, repr=False)
    restore_id: str = ""
    recovery_menu: bytes = b""

    @property
    def bios(self) -> bool:
        return self.firmware is FirmwareKind.BIOS

    @property
    def primary_uuid(self) -> str:
        """Menus name PRIMARY by it; UEFI boot entries, which NVRAM must not wear for, by its label."""
        return volume_uuid(self.restore_id, "primary") if self.bios else ""

    @property
    def tables(self) -> list[tuple[Disk, PartitionTable]]:
        raid = self.array is not None
        return [
            (disk, primary_table(self.firmware, disk.size, raid=raid, names=self.branding)) for disk in self.targets
        ]

    @property
    def boot_volumes(self) -> tuple[BootVolume, ...]:
        return boot_volumes(self.tables, self.places, self.restore_id) if self.bios else ()


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


def check_boot_arguments(firmware: FirmwareKind, branding: Branding, extra_arguments: str) -> None:
    """Raises BadInput if boot entries or menus with these arguments could not be made. Asked before anything is
    changed: wherever the ESP is, its place takes the same room."""
    if firmware is FirmwareKind.BIOS:
        check_menu_arguments(branding, extra_arguments)
    else:
        wanted_entries(branding, EspLocation(1, 0, 1, "00000000-0000-0000-0000-000000000000"), extra_arguments)


def refuse_unsupported(platform: Platform) -> None:
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


def plan_restore(facts: RestoreFacts) -> Plan:
    """Raises HardwareMismatch for a platform that this version cannot restore, BadInput for what cannot be stored."""
    refuse_unsupported(facts.unit.platform)
    check_boot_arguments(facts.firmware, facts.branding, facts.extra_arguments)
    if facts.bios:
        check_disks(facts.loader, facts.tables)
    boot = _recovery_menu(facts) if facts.bios else _boot_entries(facts)
    return (
        *_disk(facts),
        *_configuration(facts),
        *boot,
        *_kernels(facts),
        *_boot_partitions(facts),
        *_finish(facts),
    )


def _disk(facts: RestoreFacts) -> list[Operation]:
    places = facts.places
    tables = facts.tables
    members = tuple(PartitionRef(disk, table.partitions[-1].number) for disk, table in tables)
    primary = _primary(facts)
    kind = FileSystemKind.EXT4
    options = ("relatime", "discard") if facts.unit.platform.disk_is_ssd else ("relatime",)
    spec = FileSystemSpec(kind, facts.branding.primary_label, reserved_percent=1, encrypt=True, uuid=facts.primary_uuid)
    return [
        RetireArrays(facts.targets),
        *(ClearDisk(disk, CLEARED_EDGE, CLEARED_EDGE) for disk in facts.targets),
        *(CreatePartitionTable(disk, table, facts.loader) for disk, table in tables),
        *make_boot_volumes(facts.boot_volumes, facts.branding),
        *([CreateArray(facts.array, members)] if facts.array is not None else []),
        MakeFileSystem(primary, spec),
        MountVolume(primary, places.primary, kind.value, options),
        ExtractImage(facts.image, places.primary),
    ]


def _primary(facts: RestoreFacts) -> Place:
    """Where the system goes: the array, or the last partition of the one disk."""
    if facts.array is not None:
        return ArrayRef(facts.array.name)
    [(target, table)] = facts.tables
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
        boot_fstab(facts.boot_volumes, facts.unit.platform.disk_is_ssd),
        extra_options=media.extra_options,
        override=media.override_options,
        places=facts.places,
    )
    return render(primary_fstab(volumes, admin)).encode()


def _network(facts: RestoreFacts) -> list[Operation]:
    systemd = f"{facts.places.primary}/etc/systemd"
    folder, network = f"{systemd}/network", facts.network
    operations: list[Operation] = [MakeFolder(f"{systemd}/network-defaults")]
    operations += [
        WriteFile(f"{systemd}/network-defaults/{name}", content) for name, content in sorted(network.defaults.items())
    ]
    if not network.preserved:
        operations.append(MakeFolder(folder))
        return [
            *operations,
            *(WriteFile(f"{folder}/{name}", content) for name, content in sorted(network.defaults.items())),
        ]
    # What the image has there was part of what was saved, unless somebody took it away.
    operations += [RemovePath(folder), MakeFolder(folder)]
    group = facts.image.files.group or b""
    operations += [_saved(f"{folder}/{name}", file, group) for name, file in sorted(network.preserved.items())]
    return [*operations, WriteFile(f"{folder}/{MARKER}", b"")]


def _saved(path: str, file: SavedFile, group: bytes) -> Operation:
    if file.mask:
        return MakeSymlink(path, "/dev/null")
    try:
        gid = gid_of(group, file.group) or 0
    except BadInput:  # that name is there twice: no reason not to restore
        gid = 0
    return WriteFile(path, file.content, file.mode, Owner(0, gid))


def _boot_entries(facts: RestoreFacts) -> list[Operation]:
    """Before the kernels: where NVRAM was lost, the fallback loader is all that starts the unit, until the entries are
    there again. NVRAM that is full must not undo a restore: with that loader it boots all the same."""
    if facts.esp is None or facts.esp.partition is None:
        label = facts.branding.esp_label
        raise HardwareMismatch(f"no {label} beside RECOVERY on {facts.recovery.disk.describe()}: nowhere for a kernel")
    esp = PartitionRef(facts.esp.disk, facts.esp.partition.number)
    return [UpdateBootEntries(esp, facts.branding, facts.extra_arguments, required=False)]


def _recovery_menu(facts: RestoreFacts) -> list[Operation]:
    """A RECOVERY that has become read-only must not stop a restore: it has a menu already."""
    return write_recovery_menu(
        facts.places, facts.branding, facts.extra_arguments, facts.recovery_menu, required=not facts.recovery_menu
    )


def _kernels(facts: RestoreFacts) -> list[Operation]:
    """The kernel with the higher build number replaces the other."""
    copies = kernel_places(facts.firmware, facts.places, facts.branding)
    return plan_kernels(_image_kernel(facts), copies, _winner(facts), facts.recovery_kernel, facts.fallback_kernel)


def _boot_partitions(facts: RestoreFacts) -> list[Operation]:
    """After the kernels: then the one in the unpacked image is the newest."""
    return fill_boot_volumes(
        facts.boot_volumes,
        _image_kernel(facts),
        facts.primary_uuid,
        facts.places,
        facts.branding,
        facts.extra_arguments,
    )


def _image_kernel(facts: RestoreFacts) -> str:
    return f"{facts.places.primary}/boot/{facts.branding.boot_kernel}"


def _winner(facts: RestoreFacts) -> Comparison:
    """Between the image's kernel (first) and RECOVERY's."""
    if facts.recovery_kernel_wins and facts.recovery_kernel is not None:
        return Comparison.SECOND
    return newest(parse_bzimage(facts.image.files.kernel_start or b""), facts.recovery_kernel)


def _finish(facts: RestoreFacts) -> list[Operation]:
    places = facts.places
    operations: list[Operation] = [
        FlushVolume(places.primary),
        *([] if facts.bios else [FlushVolume(places.esp)]),
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
