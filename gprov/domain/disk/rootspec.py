"""``real_root=KEY=VALUE``: which volume the kernel's command line names as root.

Keys are those of udev's ``/dev/disk/by-KEY`` folders, and a value may be what stands there. No udev runs in the
initramfs: what its links would say is matched against what disks and superblocks tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from typing_extensions import override

from gprov.domain.disk.model import Disk, Volume

# A member of an array shows the array's UUID and a label made of the array's name. It is never the root itself.
RAID_MEMBER = "linux_raid_member"


class RootKey(Enum):
    UUID = "uuid"
    LABEL = "label"
    PARTUUID = "partuuid"
    PARTLABEL = "partlabel"
    ID = "id"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class RootSpec:
    """What names the root volume, as ``LABEL=PRIMARY``."""

    key: RootKey
    value: str

    @override
    def __str__(self) -> str:
        return f"{self.key.name}={self.value}"


class ParsedRoot(NamedTuple):
    """``note`` says why the argument was not followed; empty if it was."""

    spec: RootSpec
    note: str = ""


def parse_root(argument: str, fallback_label: str = "PRIMARY") -> ParsedRoot:
    """The value of ``real_root``; what cannot be understood falls back to the label of PRIMARY, with a note."""
    fallback = RootSpec(RootKey.LABEL, fallback_label)
    word, equals, rest = _unquoted(argument.strip()).partition("=")
    value = _unquoted(rest.strip())
    key = next((key for key in RootKey if key.value == word.strip().lower()), None)
    if key is not None and equals and value:
        return ParsedRoot(RootSpec(key, value))
    known = ", ".join(key.value for key in RootKey)
    return ParsedRoot(fallback, f"real_root={argument!r} is not KEY=VALUE with a key of {known}: using {fallback}")


def matches(spec: RootSpec, volume: Volume) -> bool:
    """Is this the volume that the specification names? A RAID member never is, the array on it may be."""
    if volume.contents.kind == RAID_MEMBER:
        return False
    if volume.array and spec.key in (RootKey.ID, RootKey.PATH):
        return _names_array(spec, volume)
    partition = volume.partition
    match spec.key:
        case RootKey.UUID:
            return _same_id(spec.value, volume.contents.uuid)
        case RootKey.LABEL:
            return _same_name(spec.value, volume.contents.label)
        case RootKey.PARTUUID:
            return partition is not None and _same_id(spec.value, partition.uuid)
        case RootKey.PARTLABEL:
            return partition is not None and _same_name(spec.value, partition.label)
        case RootKey.ID:
            name, number = _split_part(spec.value)
            return number == _number(volume) and _names_disk(name, volume.disk)
        case RootKey.PATH:
            name, number = _split_part(spec.value)
            return spec.value == volume.node or (number == _number(volume) and _sits_at(name, volume.disk))


def _names_array(spec: RootSpec, volume: Volume) -> bool:
    """An array has no place in the machine, and other ids than its disks."""
    if spec.key is RootKey.PATH:
        return spec.value == volume.node
    return spec.value.lower().replace(":", "") == f"md-uuid-{volume.array.replace('-', '')}"


def _same_id(wanted: str, have: str) -> bool:
    return bool(have) and wanted.lower() == have.lower()


def _same_name(wanted: str, have: str) -> bool:
    """As it is, or as udev writes it in a link's name, where a blank is ``\\x20``."""
    return bool(have) and have in (wanted, _decoded(wanted))


def _decoded(text: str) -> str:
    raw = re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda hit: bytes([int(hit[1], 16)]), text.encode(errors="surrogatepass"))
    return raw.decode(errors="replace")


def _split_part(link: str) -> tuple[str, int | None]:
    """``ata-X_Y-part2`` → (``ata-X_Y``, 2); without a partition the number is None."""
    hit = re.fullmatch(r"(.+)-part([1-9][0-9]{0,3})", link, re.DOTALL)
    return (hit[1], int(hit[2])) if hit else (link, None)


def _number(volume: Volume) -> int | None:
    return volume.partition.number if volume.partition else None


def _names_disk(link: str, disk: Disk) -> bool:
    """``by-id`` links: a bus prefix, then WWN, serial, or vendor, model and serial with ``_`` for blanks."""
    bare = re.sub(r"^(ata|scsi|wwn|nvme|usb|virtio|mmc)-", "", link)
    bare = re.sub(r"-\d+:\d+$", "", bare)  # host and unit number behind a USB serial
    names = {disk.wwn, re.sub(r"^naa\.", "0x", disk.wwn)}
    if disk.serial:  # a model alone names a kind of disk, not a disk
        model = f"{disk.model}_{disk.serial}"
        names |= {disk.serial, model, f"{disk.vendor}_{model}"}
    return _underscored(bare) in {_underscored(name) for name in names if name}


def _underscored(text: str) -> str:
    return re.sub(r"[\s_]+", "_", text.strip()).strip("_").lower()


def _sits_at(link: str, disk: Disk) -> bool:
    """``by-path`` links. udev writes some in two ways: ``ata-1`` and ``ata-1.0``, with or without ``virtio-``."""
    return bool(disk.slot) and _plain_slot(link) == disk.slot


def _plain_slot(link: str) -> str:
    return re.sub(r"(-ata-\d+)\.0$", r"\1", link.removeprefix("virtio-"))


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].strip()
    return text
