"""Block devices as the domain sees them. All sizes and offsets are bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.disk.device_number import DeviceNumber


class Bus(Enum):
    """How a whole disk is attached."""

    ATA = "ata"
    USB = "usb"
    NVME = "nvme"
    VIRTIO = "virtio"
    MMC = "mmc"
    SCSI = "scsi"
    UNKNOWN = "unknown"


class FileSystemKind(Enum):
    """File systems that gprov makes or that its kernel can mount."""

    EXT2 = "ext2"
    EXT3 = "ext3"
    EXT4 = "ext4"
    VFAT = "vfat"

    @property
    def label_bytes(self) -> int:
        """How long a label may be."""
        return 11 if self is FileSystemKind.VFAT else 16


# The same in the words of libblkid, as in ``Contents.kind``.
KNOWN_KINDS = frozenset(kind.value for kind in FileSystemKind)


class CheckVerdict(Enum):
    """What a file-system check ended with."""

    CLEAN = "clean"
    REPAIRED = "repaired"
    BEYOND_REPAIR = "beyond repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemSpec:
    """``reserved_percent`` (of the blocks, for root), ``encrypt`` (the feature) and ``uuid`` ("": any) concern ext
    only."""

    kind: FileSystemKind
    label: str
    reserved_percent: int = 5
    encrypt: bool = False
    uuid: str = ""

    def check_label(self) -> None:
        """Raises BadInput for a label that does not fit: programs that make file systems would cut it."""
        most = self.kind.label_bytes
        if len(self.label.encode(errors="replace")) > most:
            raise BadInput(
                "label", [Problem("", f"{self.label!r} is longer than the {most} bytes of {self.kind.value}")]
            )


@dataclass(frozen=True, slots=True)
class Contents:
    """What the start of a device holds, as a superblock probe found it; empty strings where there is none.

    ``kind`` is libblkid's TYPE ("ext4", "vfat", "linux_raid_member", "swap", …), "" for none that is known.
    ``ambivalent`` is set if more than one signature was found: then nothing else is.
    """

    kind: str = ""
    label: str = ""
    uuid: str = ""
    ambivalent: bool = False

    @property
    def blank(self) -> bool:
        """No file system, RAID member or other known signature."""
        return not self.kind and not self.ambivalent


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One partition that the kernel knows. ``start`` and ``size`` in bytes.

    ``label`` and ``uuid`` are PARTLABEL and PARTUUID. ``holders``: arrays and mappings that are built on it now.
    """

    name: str
    node: str
    device: DeviceNumber
    number: int
    start: int
    size: int
    label: str = ""
    uuid: str = ""
    holders: tuple[DeviceNumber, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One whole, non-virtual disk. ``name`` is the kernel's (sda, nvme0n1), ``node`` its device file.

    Attributes that a disk does not tell are empty strings. ``path`` is the resolved sysfs device path: which
    port or slot the disk sits in. ``slot`` says the same as udev's by-path links do ("pci-0000:00:1f.2-ata-1").
    """

    name: str
    node: str
    device: DeviceNumber
    size: int
    sector_size: int = 512
    bus: Bus = Bus.UNKNOWN
    vendor: str = ""
    model: str = ""
    serial: str = ""
    wwn: str = ""
    path: str = ""
    slot: str = ""
    removable: bool = False
    read_only: bool = False
    partitions: tuple[Partition, ...] = ()
    holders: tuple[DeviceNumber, ...] = ()

    @property
    def devices(self) -> frozenset[DeviceNumber]:
        """The disk, its partitions and everything built on them: whoever uses one of these uses the disk."""
        inner = ((part.device, *part.holders) for part in self.partitions)
        return frozenset((self.device, *self.holders, *(device for group in inner for device in group)))

    @property
    def identity(self) -> str:
        """What stays the same over reboots, best first: WWN, else model and serial, else the port it sits in."""
        if self.wwn:
            return self.wwn
        if self.serial:
            return f"{self.model}_{self.serial}" if self.model else self.serial
        return self.path or self.name

    def replacement_reason(self, now: Disk) -> str:
        """Why ``now``, which has the device number of this disk, is another one: names and numbers go to whatever is
        plugged in next. Empty if it is the same."""
        if (now.identity, now.size) == (self.identity, self.size):
            return ""
        return f"is another disk by now: {now.describe()}, identity {now.identity}, instead of {self.identity}"

    def describe(self) -> str:
        """For logs: name, size, what it calls itself and how it is attached."""
        names = " ".join(part for part in (self.vendor, self.model, self.serial) if part) or "unnamed"
        return f"{self.node} ({self.size / 1e9:.1f} GB, {self.bus.value}, {names})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A partition (or a whole device) that holds something, with the disk it is on.

    Of a running array, ``array`` is the UUID, and ``others`` are the disks of its other members.
    """

    disk: Disk
    node: str
    device: DeviceNumber
    contents: Contents
    partition: Partition | None = None
    array: str = ""
    others: tuple[Disk, ...] = ()

    @property
    def disks(self) -> tuple[Disk, ...]:
        return (self.disk, *self.others)

    @property
    def stable_id(self) -> str:
        """Tells it from what gets its name and number next, should its disk go meanwhile."""
        return f"{self.node} on {self.array or self.disk.identity}, {self.disk.size} bytes"


@dataclass(frozen=True, slots=True)
class ActiveMount:
    """One line of the kernel's mount table that has a block device behind it."""

    device: DeviceNumber
    target: str
    kind: str
    options: frozenset[str] = field(default_factory=frozenset)
