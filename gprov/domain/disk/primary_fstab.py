"""Which volumes the system on PRIMARY mounts: the entries of its ``/etc/fstab``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.formats.disk.fstab import FstabEntry
from gprov.domain.formats.owner import Owner
from gprov.domain.mountpoints import MountPoints

_MOUNT_POINTS = MountPoints()
# nofail: a unit whose RECOVERY is gone still starts. noexec: nothing on it is meant to run in the system.
RECOVERY_OPTIONS = ("auto", "noexec", "relatime", "nofail")
# FAT keeps no owners: without a mask everybody could read what is on the ESP.
ESP_OPTIONS = (*RECOVERY_OPTIONS, "umask=0077")
BOOT_OPTIONS = ("noauto", "relatime", "noexec")
# Options that file systems with owners of their own refuse, so that the mount would fail.
_OWNER_OPTIONS = ("uid=", "gid=", "user_id=", "group_id=", "umask=", "fmask=", "dmask=")
_KEEPS_OWNERS = frozenset({FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.EXT4})


@dataclass(frozen=True, slots=True)
class FstabVolume:
    """A volume to be mounted. ``ssd``: it wants to be told which blocks are free (``discard``)."""

    source: str
    kind: FileSystemKind
    ssd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FstabFacts:
    """What PRIMARY mounts. ``esp``: None without UEFI; ``boot``: (source volume, mount point) of boot partitions.

    ``extra_options`` is the platform's ``FsOptsAdditional`` for RECOVERY, separated by commas; with ``override`` they
    replace the usual options instead of following them. The system mounts where gprov does (``mount_points``).
    """

    root: FstabVolume
    recovery: FstabVolume
    esp: FstabVolume | None = None
    boot: tuple[tuple[FstabVolume, str], ...] = ()
    extra_options: str = ""
    override: bool = False
    mount_points: MountPoints = _MOUNT_POINTS


def primary_fstab(facts: FstabFacts, admin: Owner) -> tuple[FstabEntry, ...]:
    """Root first, then RECOVERY, the ESP below it, and boot partitions. ``$u`` and ``$g`` become admin's ids."""
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
        chosen = [option for option in chosen if not option.startswith(_OWNER_OPTIONS)]
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
