"""Simulated media: disks, partitions and arrays, with the unflushed first blocks of partitions. Contents of volumes:
``volume.py``."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field

from gprov.adapters.fake.machine.drive import NvmeTarget, ScsiTarget
from gprov.adapters.fake.machine.media import Media, common
from gprov.adapters.fake.machine.tree import Node, Tree, changed
from gprov.adapters.fake.machine.volume import FakeVolume
from gprov.domain.disk.arrays import works_with
from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import ActiveMount, Bus, FileSystemKind
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Stamped
from gprov.domain.errors import DeviceMissing
from gprov.domain.formats.disk.device_number import DeviceNumber

__all__ = [
    "FakeArray",
    "FakeDisk",
    "FakeMember",
    "FakeMount",
    "FakePartition",
    "FakeVolume",
    "Node",
    "PartitionContents",
    "RunningFakeArray",
    "Tree",
    "changed",
    "ram",
]


# GPT: protective MBR, header and 32 sectors of entries.
TABLE_BYTES = 34 * 512

# Contents of a partition: a volume, an array member, or nothing.
PartitionContents = tuple["FakeVolume | None", "FakeMember | None"]


@dataclass(kw_only=True)
class FakePartition:
    """Holds a volume, an array member, or nothing. The device of an array is also a ``FakePartition``: see
    ``FakeArray``.

    ``unflushed``: while the first blocks are written, all contents that a power cut may leave, the previous ones first.
    """

    number: int
    start: int
    size: int
    label: str
    uuid: str
    device: DeviceNumber
    volume: FakeVolume | None = None
    member: FakeMember | None = None
    unflushed: tuple[PartitionContents, ...] = ()

    def apply_power_cut(self, choose: Callable[[int], int] | None) -> None:
        """Lose power. ``choose`` returns a number below its argument; None keeps the previous contents."""
        if self.unflushed:
            self.volume, self.member = self.unflushed[choose(len(self.unflushed)) if choose is not None else 0]
        self.unflushed = ()


@dataclass(kw_only=True)
class FakeArray:
    """A software RAID array. ``device``: its block device while it runs. The data are stored once for all members:
    unlike a real array, an outdated member that is started alone shows the newest data."""

    uuid: str
    name: str
    level: int
    layout: int
    disks: int
    device: FakePartition


@dataclass
class FakeMember:
    """A superblock. ``active``: slots that had a member at event number ``events``."""

    array: FakeArray
    slot: int
    active: frozenset[int]
    events: int = 1


@dataclass
class RunningFakeArray:
    """An assembled array of these partitions, in the order of slots."""

    array: FakeArray
    node: str
    members: tuple[FakePartition, ...]

    def has_enough_members(self, present: Container[str]) -> bool:
        """Return whether the array works with the members in ``present`` (UUIDs of partitions)."""
        slots = [part.member.slot for part in self.members if part.member is not None and part.uuid in present]
        return works_with(self.array.level, self.array.layout, self.array.disks, slots)

    def record(self, present: Container[str]) -> None:
        """Update the superblocks of the members in ``present`` (UUIDs of partitions), as md does when an array
        changes."""
        here = [part.member for part in self.members if part.member is not None and part.uuid in present]
        slots = frozenset(member.slot for member in here)
        events = 1 + max((member.events for member in here), default=0)
        for member in here:
            member.active, member.events = slots, events


@dataclass(kw_only=True)
class FakeDisk:
    """A whole disk. ``present`` from ``appears_at`` seconds on the machine's monotonic clock of this boot.

    ``announced``: until then, USB storage that is no disk yet. ``areas``: boot loader code by offset.
    ``write_protected``: as worn-out flash. ``old_contents``: file systems and array members that no partition table
    lists, by their first byte; a new partition that starts there holds them again unless that area was cleared.
    ``clearing``: start offsets of areas with unflushed zeros. ``detached``: unplugged or dead; ``reappears`` at the
    next start. ``media``: the bytes; for tables, file systems and members a recognisable content that stands for
    theirs. ``scsi_drive``, ``nvme_drive``: takes commands; a disk without one only reads and writes blocks.
    ``removable``: can be taken out of the machine. ``namespace``: of an NVMe disk. ``without_size``: the drive stated
    no capacity when the machine was started, and the kernel did not ask again.
    """

    name: str
    device: DeviceNumber
    size: int
    bus: Bus = Bus.ATA
    model: str = "QEMU HARDDISK"
    vendor: str = "ATA"
    serial: str = ""
    namespace: int = 1
    table: PartitionTable | None = None
    partitions: list[FakePartition] = field(default_factory=list)
    appears_at: float = 0.0
    announced: bool = False
    writes: int = 0
    write_protected: bool = False
    areas: dict[int, bytes] = field(default_factory=dict)
    old_contents: dict[int, FakeVolume | FakeMember] = field(default_factory=dict)
    clearing: frozenset[int] = frozenset()
    detached: bool = False
    reappears: bool = False
    scsi_drive: ScsiTarget | None = None
    nvme_drive: NvmeTarget | None = None
    without_size: bool = False
    removable: bool = False
    media: Media = field(init=False)

    def __post_init__(self) -> None:
        self.media = Media(size=self.size)

    @property
    def node(self) -> str:
        return f"/dev/{self.name}"

    def partition_name(self, number: int) -> str:
        return f"{self.name}p{number}" if self.name[-1].isdigit() else f"{self.name}{number}"

    def partition(self, number: int) -> FakePartition:
        for part in self.partitions:
            if part.number == number:
                return part
        raise DeviceMissing(self.node, f"has no partition {number}")

    def forget_partitions(self) -> None:
        """Remove the table. Contents of its partitions become ``old_contents``."""
        self.old_contents |= {part.start: part.volume for part in self.partitions if part.volume is not None}
        self.old_contents |= {part.start: part.member for part in self.partitions if part.member is not None}
        self.table = None
        self.areas = {}
        self.partitions = []

    def mark(self, part: FakePartition, name: str) -> None:
        """Fill the place of a partition with the content that stands for what was made there."""
        self.media.put(Extent(part.start, part.start + part.size), Stamped(f"former {name}"))

    def lose(self, extent: Extent) -> None:
        """Forget what an overwritten range held: the table, and volumes and members whose first block was in it.
        Volumes of which another part was in it are damaged beyond repair."""
        if extent.start < TABLE_BYTES:
            self.forget_partitions()
        self.areas = {at: code for at, code in self.areas.items() if not common(extent, Extent(at, at + len(code)))}
        old = self.old_contents.items()
        self.old_contents = {start: found for start, found in old if not extent.start <= start < extent.end}
        for start, found in self.old_contents.items():
            if isinstance(found, FakeVolume) and common(extent, Extent(start, start + found.size)):
                found.damaged, found.repairable = True, False
        for part in self.partitions:
            if extent.start <= part.start < extent.end:
                part.volume = part.member = None
            elif part.volume is not None and common(extent, Extent(part.start, part.start + part.size)):
                part.volume.damaged, part.volume.repairable = True, False

    def erase_contents(self, residue: int | None, spared: tuple[Extent, ...] = ()) -> None:
        """The drive erased itself: see ``Media.forget_all``."""
        self.lose(Extent(0, self.size))
        self.media.forget_all(residue, spared)

    def volumes(self) -> tuple[FakeVolume, ...]:
        return tuple(part.volume for part in self.partitions if part.volume is not None)

    def apply_power_cut(self, choose: Callable[[int], int] | None) -> None:
        """Lose power: see ``FakePartition.apply_power_cut``."""
        for drive in (self.scsi_drive, self.nvme_drive):
            if drive is not None:
                drive.power_cycle()
        self.without_size = self.scsi_drive is not None and not self.scsi_drive.states_capacity
        for start in sorted(self.clearing):
            if choose is not None and choose(2):
                self.old_contents.pop(start, None)
        self.clearing = frozenset()
        self.media.apply_power_cut(choose)
        for part in self.partitions:
            part.apply_power_cut(choose)


def ram() -> FakeVolume:
    """The file system below all mount points, in memory."""
    return FakeVolume(kind=FileSystemKind.EXT4, label="", uuid="", size=1 << 30, in_memory=True)


@dataclass
class FakeMount:
    point: ActiveMount
    volume: FakeVolume
    read_only: bool
