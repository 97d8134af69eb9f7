"""Plans the unit-specific files that a restore writes to PRIMARY after unpacking the image."""

from __future__ import annotations

from gprov.domain.boot.boot_counts import STALE_FILES
from gprov.domain.disk.arrayrecord import ARRAY_FILE, array_record
from gprov.domain.disk.model import Bus, FileSystemKind
from gprov.domain.disk.primary_fstab import FstabFacts, FstabVolume, primary_fstab
from gprov.domain.emergency.request import serialise_record
from gprov.domain.errors import BadInput
from gprov.domain.formats.accounts import LOCKED, gid_of, ids_of, set_password_hash
from gprov.domain.formats.disk.fstab import render
from gprov.domain.formats.hosts import set_host_name
from gprov.domain.formats.owner import ROOT, Owner
from gprov.domain.plan.bios import boot_fstab
from gprov.domain.plan.file_operations import MakeFolder, MakeSymlink, RemovePath, WriteFile
from gprov.domain.plan.open_accounts import accounts_to_lock, locked_passwd, locked_shadow
from gprov.domain.plan.operations import Operation
from gprov.domain.plan.restore_facts import RestoreFacts
from gprov.domain.platform.facts import platform_facts
from gprov.domain.platform.facts_file import FACTS_FILE
from gprov.domain.recovery_files import EMERGENCY_RECORD, RECOVERY_PATH_FILE
from gprov.domain.unit.hostid import host_identity
from gprov.domain.unit.netsaved import MARKER, SavedFile

MDADM_CONFIG = "/etc/mdadm/mdadm.conf"
# Mount points of the kernel's file systems. The root is mounted read-only at boot, so missing folders must be created
# by the restore; images may lack them.
MOUNT_POINTS = ("dev", "proc", "run", "sys")


def plan_unit_files(facts: RestoreFacts) -> list[Operation]:
    """All unit-specific files except the kernel. Raises BadInput if the image's accounts cannot be parsed."""
    files, branding = facts.image.files, facts.branding
    root = facts.mount_points.primary
    config = f"{root}{branding.config_folder}"
    identity = host_identity(facts.unit.serial, branding)
    passwd, group = files.passwd or b"", files.group or b""
    admin = ids_of(passwd, branding.admin)
    journal_group = gid_of(group, "systemd-journal")
    operations: list[Operation] = [
        *(MakeFolder(f"{root}/{name}") for name in MOUNT_POINTS),
        WriteFile(path=f"{root}/etc/fstab", content=_fstab(facts, admin)),
        WriteFile(path=f"{root}/etc/hostname", content=f"{identity.hostname}\n".encode()),
        WriteFile(path=f"{root}/etc/hosts", content=set_host_name(files.hosts, identity.hostname)),
        WriteFile(path=f"{root}/etc/machine-id", content=f"{identity.machine_id}\n".encode(), mode=0o444),
        MakeSymlink(f"{root}/etc/localtime", "/usr/share/zoneinfo/Etc/UTC"),
        MakeFolder(config),
        *(RemovePath(f"{config}/{name}") for name in STALE_FILES),
        WriteFile(path=f"{config}/serial", content=facts.unit.serial.encode()),
        WriteFile(path=f"{config}/{FACTS_FILE}", content=platform_facts(facts.unit, facts.lcd)),
        MakeFolder(f"{root}/var/log/journal", 0o2755, Owner(0, journal_group) if journal_group is not None else ROOT),
        WriteFile(path=f"{root}/{facts.name.disktag}", content=b"", mode=0o444),
        *_removable_media(facts),
    ]
    open_names = accounts_to_lock(files, branding)
    if (locked := locked_passwd(passwd, open_names)) != passwd:
        operations.append(WriteFile(path=f"{root}/etc/passwd", content=locked))
    shadow = locked_shadow(files.shadow or b"", open_names)
    shadow = set_password_hash(shadow, branding.admin, facts.admin_password or LOCKED)
    shadow_group = gid_of(group, "shadow")
    owner = Owner(0, shadow_group) if shadow_group is not None else ROOT
    operations.append(
        WriteFile(
            path=f"{root}/etc/shadow",
            content=shadow,
            mode=0o640 if shadow_group is not None else 0o600,
            owner=owner,
        )
    )
    return [*operations, *_array_files(facts), *_network(facts, admin)]


def _removable_media(facts: RestoreFacts) -> list[Operation]:
    """For the search for emergency files at each start: the USB disk that holds none, and the files to ignore."""
    config = f"{facts.mount_points.primary}{facts.branding.config_folder}"
    operations: list[Operation] = []
    disk = facts.recovery.disk if facts.recovery is not None else None
    if disk is not None and disk.bus is Bus.USB and disk.path:
        content = f"{disk.path}\n".encode(errors="replace")
        operations.append(WriteFile(path=f"{config}/{RECOVERY_PATH_FILE}", content=content))
    if facts.emergency_marks:
        record = serialise_record(facts.emergency_marks)
        operations.append(WriteFile(path=f"{config}/{EMERGENCY_RECORD}", content=record))
    return operations


def _fstab(facts: RestoreFacts, admin: Owner) -> bytes:
    media = facts.unit.platform.recovery_media
    # A RECOVERY that cannot be used now is mounted by its label, when it was replaced.
    source, kind = f"LABEL={facts.branding.recovery_label}", FileSystemKind.EXT4
    if facts.recovery is not None:
        contents = facts.recovery.contents
        source, kind = f"UUID={contents.uuid}", FileSystemKind(contents.kind)
    esp = None
    if facts.esp is not None:
        esp = FstabVolume(f"UUID={facts.esp.contents.uuid}", FileSystemKind.VFAT, media.ssd)
    volumes = FstabFacts(
        # By label, as in the boot entries: the UUID changes with each restore.
        root=FstabVolume(f"LABEL={facts.branding.primary_label}", FileSystemKind.EXT4, facts.unit.platform.disk_is_ssd),
        recovery=FstabVolume(source, kind, media.ssd),
        esp=esp,
        boot=boot_fstab(facts.boot_volumes, facts.unit.platform.disk_is_ssd),
        extra_options=media.extra_options,
        override=media.override_options,
        mount_points=facts.mount_points,
    )
    return render(primary_fstab(volumes, admin)).encode()


def _array_files(facts: RestoreFacts) -> list[Operation]:
    """``mdadm.conf``, which names the array by UUID, and ``array.json`` for messages about missing disks."""
    if facts.array is None:
        return []
    root = facts.mount_points.primary
    return [
        WriteFile(path=f"{root}{MDADM_CONFIG}", content=facts.array.config.encode()),
        WriteFile(
            path=f"{root}{facts.branding.config_folder}/{ARRAY_FILE}", content=array_record(facts.array, facts.targets)
        ),
    ]


def _network(facts: RestoreFacts, admin: Owner) -> list[Operation]:
    """The defaults always go to a folder of admin's, to copy from. The folder of networkd gets them if
    nothing was saved and the image has no files there."""
    systemd = f"{facts.mount_points.primary}/etc/systemd"
    folder, network = f"{systemd}/network", facts.network
    operations: list[Operation] = [MakeFolder(f"{systemd}/network-defaults", owner=admin)]
    operations += [
        WriteFile(path=f"{systemd}/network-defaults/{name}", content=content, owner=admin)
        for name, content in sorted(network.defaults.items())
    ]
    if not network.preserved:
        used = {} if facts.image.files.has_network else network.defaults
        return [
            *operations,
            MakeFolder(folder),
            *(WriteFile(path=f"{folder}/{name}", content=content) for name, content in sorted(used.items())),
        ]
    # Replaces the image's files: the saved configuration is complete and contains those that were not deleted.
    operations += [RemovePath(folder), MakeFolder(folder)]
    group = facts.image.files.group or b""
    operations += [_saved(f"{folder}/{name}", file, group) for name, file in sorted(network.preserved.items())]
    return [*operations, WriteFile(path=f"{folder}/{MARKER}", content=b"")]


def _saved(path: str, file: SavedFile, group: bytes) -> Operation:
    if file.mask:
        return MakeSymlink(path, "/dev/null")
    try:
        gid = gid_of(group, file.group) or 0
    except BadInput:  # the group name occurs twice: not a reason to fail the restore
        gid = 0
    return WriteFile(path=path, content=file.content, mode=file.mode, owner=Owner(0, gid))
