"""``real_root=KEY=VALUE``: parses the name of the root volume and matches it against volumes.

Keys are those of udev's ``/dev/disk/by-KEY`` folders, and values are link names in these folders. No udev runs in the
initramfs: names are compared with the attributes from sysfs and superblocks.
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
    """Name of the root volume, such as ``LABEL=PRIMARY``."""

    key: RootKey
    value: str

    @override
    def __str__(self) -> str:
        return f"{self.key.name}={self.value}"


class ParsedRoot(NamedTuple):
    """``note``: why the argument was not used; "" if it was used."""

    spec: RootSpec
    note: str = ""


def parse_root(argument: str, fallback_label: str = "PRIMARY") -> ParsedRoot:
    """Parse the value of ``real_root``. A malformed value yields the label of PRIMARY and a note."""
    fallback = RootSpec(RootKey.LABEL, fallback_label)
    word, equals, rest = _unquoted(argument.strip()).partition("=")
    value = _unquoted(rest.strip())
    key = next((key for key in RootKey if key.value == word.strip().lower()), None)
    if key is not None and equals and value:
        return ParsedRoot(RootSpec(key, value))
    known = ", ".join(key.value for key in RootKey)
    return ParsedRoot(fallback, f"real_root={argument!r} is not KEY=VALUE with a key of {known}: using {fallback}")


def matches(spec: RootSpec, volume: Volume) -> bool:
    """Whether the specification names this volume. An array member never matches; its array can match."""
    if volume.contents.kind == RAID_MEMBER:
        return False
    if volume.array and spec.key in (RootKey.ID, RootKey.PATH):
        return _matches_array(spec, volume)
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
            return number == _number(volume) and _matches_disk(name, volume.disk)
        case RootKey.PATH:
            name, number = _split_part(spec.value)
            return spec.value == volume.node or (number == _number(volume) and _matches_path(name, volume.disk))


def _matches_array(spec: RootSpec, volume: Volume) -> bool:
    """Match an array by ``/dev/…`` or ``md-uuid-…``: it has no port, and its identifiers differ from its disks'."""
    if spec.key is RootKey.PATH:
        return spec.value == volume.node
    return spec.value.lower().replace(":", "") == f"md-uuid-{volume.array.replace('-', '')}"


def _same_id(expected: str, have: str) -> bool:
    return bool(have) and expected.lower() == have.lower()


def _same_name(expected: str, have: str) -> bool:
    """Equal as written, or in udev's encoding of link names, where a blank is ``\\x20``."""
    return bool(have) and have in (expected, _decoded(expected))


def _decoded(text: str) -> str:
    raw = re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda hit: bytes([int(hit[1], 16)]), text.encode(errors="surrogatepass"))
    return raw.decode(errors="replace")


def _split_part(link: str) -> tuple[str, int | None]:
    """``ata-X_Y-part2`` → (``ata-X_Y``, 2); without a partition the number is None."""
    hit = re.fullmatch(r"(.+)-part([1-9][0-9]{0,3})", link, re.DOTALL)
    return (hit[1], int(hit[2])) if hit else (link, None)


def _number(volume: Volume) -> int | None:
    return volume.partition.number if volume.partition else None


def _matches_disk(link: str, disk: Disk) -> bool:
    """``by-id`` links: a bus prefix, then WWN, serial, or vendor, model and serial with ``_`` for blanks."""
    bare = re.sub(r"^(ata|scsi|wwn|nvme|usb|virtio|mmc)-", "", link)
    bare = re.sub(r"-\d+:\d+$", "", bare)  # host and unit number after a USB serial number
    names = {disk.wwn, re.sub(r"^naa\.", "0x", disk.wwn)}
    if disk.serial:  # a model alone does not identify a disk
        model = f"{disk.model}_{disk.serial}"
        names |= {disk.serial, model, f"{disk.vendor}_{model}"}
    return _underscored(bare) in {_underscored(name) for name in names if name}


def _underscored(text: str) -> str:
    return re.sub(r"[\s_]+", "_", text.strip()).strip("_").lower()


def _matches_path(link: str, disk: Disk) -> bool:
    """``by-path`` links. udev writes some in two ways: ``ata-1`` and ``ata-1.0``, with or without ``virtio-``."""
    return bool(disk.slot) and _plain_slot(link) == disk.slot


def _plain_slot(link: str) -> str:
    return re.sub(r"(-ata-\d+)\.0$", r"\1", link.removeprefix("virtio-"))


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].strip()
    return text
