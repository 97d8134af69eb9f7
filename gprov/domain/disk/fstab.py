"""``/etc/fstab`` of PRIMARY as values, rendered and parsed (fstab(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.files import Owner
from gprov.domain.places import Places

_PLACES = Places()
# nofail: a unit whose RECOVERY is gone still starts. noexec: nothing on it is meant to run in the system.
RECOVERY_OPTIONS = ("auto", "noexec", "relatime", "nofail")
# FAT keeps no owners: without a mask everybody could read what is on the ESP.
ESP_OPTIONS = (*RECOVERY_OPTIONS, "umask=0077")
BOOT_OPTIONS = ("noauto", "relatime", "noexec")
# Options that file systems with owners of their own refuse, so that the mount would fail.
_OWNER_OPTIONS = ("uid=", "gid=", "user_id=", "group_id=", "umask=", "fmask=", "dmask=")
_KEEPS_OWNERS = frozenset({FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.EXT4})


@dataclass(frozen=True, slots=True)
class FstabEntry:
    """``source`` as ``LABEL=…``, ``UUID=…`` or a path, unescaped. ``passno``: order of checks at boot, 0 for none."""

    source: str
    target: str
    kind: str
    options: tuple[str, ...] = ("defaults",)
    passno: int = 0
    dump: int = 0


@dataclass(frozen=True, slots=True)
class FstabVolume:
    """A volume to be mounted. ``ssd``: it wants to be told which blocks are free (``discard``)."""

    source: str
    kind: FileSystemKind
    ssd: bool = False


@dataclass(frozen=True, slots=True)
class FstabFacts:
    """What PRIMARY mounts. ``esp``: None without UEFI; ``boot``: (source volume, mount point) of boot partitions.

    ``extra_options`` is the platform's ``FsOptsAdditional`` for RECOVERY, separated by commas; with ``override`` they
    replace the usual options instead of following them. The system mounts where gprov does (``places``).
    """

    root: FstabVolume
    recovery: FstabVolume
    esp: FstabVolume | None = None
    boot: tuple[tuple[FstabVolume, str], ...] = ()
    extra_options: str = ""
    override: bool = False
    places: Places = _PLACES


def primary_fstab(facts: FstabFacts, admin: Owner) -> tuple[FstabEntry, ...]:
    """Root first, then RECOVERY, the ESP below it, and boot partitions. ``$u`` and ``$g`` become admin's ids."""
    extra = tuple(option for option in facts.extra_options.split(",") if option.strip())
    recovery = extra if facts.override and extra else (*RECOVERY_OPTIONS, *extra)
    entries = [
        _entry(facts.root, "/", ("relatime",), admin, passno=1),
        _entry(facts.recovery, facts.places.recovery, recovery, admin, passno=2),
    ]
    if facts.esp is not None:
        entries.append(_entry(facts.esp, facts.places.esp, ESP_OPTIONS, admin, passno=2))
    entries += [_entry(volume, target, BOOT_OPTIONS, admin, passno=0) for volume, target in facts.boot]
    return tuple(entries)


def _entry(volume: FstabVolume, target: str, options: Iterable[str], admin: Owner, passno: int) -> FstabEntry:
    chosen = [_substituted(option.strip(), admin) for option in options]
    if volume.kind in _KEEPS_OWNERS:
        chosen = [option for option in chosen if not option.startswith(_OWNER_OPTIONS)]
    if volume.ssd:
        chosen.append("discard")
    return FstabEntry(volume.source, target, volume.kind.value, tuple(dict.fromkeys(chosen)) or ("defaults",), passno)


def _substituted(option: str, admin: Owner) -> str:
    return option.replace("$u", str(admin.uid)).replace("$g", str(admin.gid))


def render(entries: Iterable[FstabEntry]) -> str:
    """The file's text. Blanks, tabs, line ends, backslashes and # in a field become octal escapes."""
    return "".join(_line(entry) for entry in entries)


def _line(entry: FstabEntry) -> str:
    fields = (entry.source, entry.target, entry.kind, ",".join(entry.options))
    return " ".join((*map(_escaped, fields), str(entry.dump), str(entry.passno))) + "\n"


def _escaped(field: str) -> str:
    return re.sub(r"[ \t\n\r\\#]", lambda hit: f"\\{ord(hit[0]):03o}", field)
