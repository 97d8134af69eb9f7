"""Block devices, volumes and mounts as values. All sizes and offsets are bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.placeholders import placeholder


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
        """Maximum length of a label."""
        return 11 if self is FileSystemKind.VFAT else 16


# libblkid's names for these, as in ``Contents.kind``.
KNOWN_KINDS = frozenset(kind.value for kind in FileSystemKind)


class CheckVerdict(Enum):
    """Result of a file-system check."""

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
        """Raises BadInput for a label that is too long: programs that make file systems would truncate it."""
        limit = self.kind.label_bytes
        if len(self.label.encode(errors="replace")) > limit:
            raise BadInput(
                "label", [Problem("", f"{self.label!r} is longer than the {limit} bytes of {self.kind.value}")]
            )


@dataclass(frozen=True, slots=True)
class Contents:
    """Result of a superblock probe; empty strings for missing values.

    ``kind`` is libblkid's TYPE ("ext4", "vfat", "linux_raid_member", "swap", …), "" for no known signature.
    ``ambivalent``: more than one signature was found; all other fields are then empty.
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
    """One partition of the kernel's device list. ``start`` and ``size`` in bytes.

    ``label`` and ``uuid`` are PARTLABEL and PARTUUID. ``holders``: active arrays and mappings on it.
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
    port or slot the disk sits in, and which unit or namespace of it this is. ``slot`` says the same as udev's by-path
    links do ("pci-0000:00:1f.2-ata-1"). ``sequence`` is the kernel's diskseq (Linux 5.15 and later): another one for
    each medium that ever came under any name since the kernel started; 0 if the kernel has none.
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
    sequence: int = 0

    @property
    def devices(self) -> frozenset[DeviceNumber]:
        """Device numbers of the disk, its partitions, and the arrays and mappings on them."""
        inner = ((part.device, *part.holders) for part in self.partitions)
        return frozenset((self.device, *self.holders, *(device for group in inner for device in group)))

    @property
    def place(self) -> str:
        """Where it sits; the kernel's name where nothing else is known."""
        return self.slot or self.path or self.name

    @property
    def called(self) -> str:
        """What the disk reports of itself: WWN, and model and serial number. "" if it reports neither.

        None of these is unique: makers leave the WWN zero or repeat it in a batch, controllers give all their
        volumes one serial number, and the namespaces of an NVMe disk share theirs.
        """
        serial = "" if placeholder(self.serial) else self.serial
        named = f"{self.model}_{serial}" if self.model and serial else serial
        return " ".join(part for part in (self.wwn, named) if part)

    @property
    def identity(self) -> str:
        """Properties that stay the same over reboots unless the disk is moved: its names and its place."""
        return f"{self.called} at {self.place}" if self.called else self.place

    def exchanged(self, now: Disk, present: Iterable[Disk] = ()) -> str:
        """Why ``now``, which has the device number of this disk, is another one: names and numbers go to whatever is
        plugged in next. Empty if it is the same beyond doubt. ``present``: all disks that are there now; where two of
        them cannot be told apart, neither is known to be this one."""
        if self._told != now._told:
            return f"is another disk by now: {now.describe()}, identity {now.identity}, instead of {self.identity}"
        if self.sequence and now.sequence and self.sequence != now.sequence:
            return f"was detached meanwhile, or its medium changed: {now.describe()} may be another disk"
        twins = [disk.node for disk in present if disk.device != now.device and disk._told == now._told]
        return f"cannot be told from {', '.join(twins)}: all have the identity {now.identity}" if twins else ""

    @property
    def _told(self) -> tuple[str | int, ...]:
        """All that there is to tell disks apart, other than names and numbers of the kernel."""
        return (self.wwn, self.vendor, self.model, self.serial, self.path, self.slot, self.size)

    def describe(self) -> str:
        """Text for logs: device file, size, bus, vendor, model and serial number."""
        names = " ".join(part for part in (self.vendor, self.model, self.serial) if part) or "unnamed"
        return f"{self.node} ({self.size / 1e9:.1f} GB, {self.bus.value}, {names})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A partition, whole disk or running array with its contents and its disk.

    For a running array, ``array`` is its UUID, and ``others`` are the disks of its other members.
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
        """Identifies the volume: differs from that of any volume that gets its name and number later."""
        disk = self.disk
        return f"{self.node} on {self.array or disk.identity}, {disk.size} bytes, medium {disk.sequence}"


@dataclass(frozen=True, slots=True)
class ActiveMount:
    """One mounted block device: a line of the kernel's mount table."""

    device: DeviceNumber
    target: str
    kind: str
    options: frozenset[str] = field(default_factory=frozenset)
