"""Entries of ``/etc/fstab`` on PRIMARY."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.formats.disk.fstab import FstabEntry
from gprov.domain.formats.owner import Owner
from gprov.domain.mountpoints import MountPoints

_MOUNT_POINTS = MountPoints()
# nofail: the system starts without RECOVERY too. noexec: RECOVERY holds no programs for the system.
RECOVERY_OPTIONS = ("auto", "noexec", "relatime", "nofail")
# FAT stores no owners: without a mask, all users could read the ESP.
ESP_OPTIONS = (*RECOVERY_OPTIONS, "umask=0077")
BOOT_OPTIONS = ("noauto", "relatime", "noexec")
# Options that file systems with stored owners reject: the mount would fail.
OWNER_OPTIONS = ("uid=", "gid=", "user_id=", "group_id=", "umask=", "fmask=", "dmask=")
_KEEPS_OWNERS = frozenset({FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.EXT4})


@dataclass(frozen=True, slots=True)
class FstabVolume:
    """A volume to be mounted. ``ssd``: adds the option ``discard``."""

    source: str
    kind: FileSystemKind
    ssd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FstabFacts:
    """Volumes that PRIMARY mounts. ``esp``: None without UEFI; ``boot``: (volume, mount point) of boot partitions.

    ``extra_options`` is the platform's ``FsOptsAdditional`` for RECOVERY, separated by commas; with ``override`` they
    replace the usual options instead of following them. The system uses gprov's ``mount_points``.
    """

    root: FstabVolume
    recovery: FstabVolume
    esp: FstabVolume | None = None
    boot: tuple[tuple[FstabVolume, str], ...] = ()
    extra_options: str = ""
    override: bool = False
    mount_points: MountPoints = _MOUNT_POINTS


def primary_fstab(facts: FstabFacts, admin: Owner) -> tuple[FstabEntry, ...]:
    """Entries in mount order: root, RECOVERY, ESP, boot partitions. ``$u`` and ``$g`` are replaced by admin's ids."""
    extra = tuple(option for option in facts.extra_options.split(",") if option.strip())
    recovery = extra if facts.override and extra else (*RECOVERY_OPTIONS, *extra)
    entries = [
        _entry(facts.root, "/", ("relatime",), admin, passno=1),
        _entry(facts.recovery, facts.mount_points.recovery, recovery, admin, passno=2),
    ]
    if facts.esp is not None:
        entries.append(_entry(facts.esp, facts.mount_points.esp, ESP_OPTIONS, admin, passno=2))
    entries += [_entry(volume, target, BOOT_OPTIONS, admin, passno=0) for volume, target in facts.boot]
    return tuple(entries)


def _entry(volume: FstabVolume, target: str, options: Iterable[str], admin: Owner, passno: int) -> FstabEntry:
    chosen = [_substituted(option.strip(), admin) for option in options]
    if volume.kind in _KEEPS_OWNERS:
        chosen = [option for option in chosen if not option.startswith(OWNER_OPTIONS)]
    if volume.ssd:
        chosen.append("discard")
    return FstabEntry(
        source=volume.source,
        target=target,
        kind=volume.kind.value,
        options=tuple(dict.fromkeys(chosen)) or ("defaults",),
        passno=passno,
    )


def _substituted(option: str, admin: Owner) -> str:
    return option.replace("$u", str(admin.uid)).replace("$g", str(admin.gid))
