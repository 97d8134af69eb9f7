"""Simulated media: disks, partitions, arrays, and what of a partition is still on its way to the medium.

What volumes hold, and what of that survives a power cut: ``volume.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field

from gprov.adapters.fake.machine.tree import Node, Tree, changed
from gprov.adapters.fake.machine.volume import FakeVolume
from gprov.domain.disk.arrays import works_with
from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import Bus, FileSystemKind, MountPoint
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


# What a partition holds: a volume, a part of an array, or nothing.
PartitionContents = tuple["FakeVolume | None", "FakeMember | None"]


@dataclass(kw_only=True)
class FakePartition:
    """Holds a volume, or a part of an array, or nothing. (The device of an array is one too: see ``FakeArray``.)

    ``unflushed``: while its first blocks are written, all that a power cut may leave there; what was there before comes
    first.
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
        """Power is gone. ``choose``: a number below the one that it is given; without, what was there before stays."""
        if self.unflushed:
            self.volume, self.member = self.unflushed[choose(len(self.unflushed)) if choose is not None else 0]
        self.unflushed = ()


@dataclass(kw_only=True)
class FakeArray:
    """A software RAID array. ``device``: what reads and writes of the array meet while it runs. Its data are kept once,
    whoever is a member: one that was left behind for some time, started alone, shows newer data than a real one."""

    uuid: str
    name: str
    level: int
    layout: int
    disks: int
    device: FakePartition


@dataclass
class FakeMember:
    """A superblock: ``active`` are the slots that had a member at event number ``events``."""

    array: FakeArray
    slot: int
    active: frozenset[int]
    events: int = 1


@dataclass
class RunningFakeArray:
    """An array that is assembled: of these partitions, in the order of slots."""

    array: FakeArray
    node: str
    members: tuple[FakePartition, ...]

    def has_enough_members(self, present: Container[str]) -> bool:
        """Are enough members still there? ``present``: UUIDs of partitions."""
        slots = [part.member.slot for part in self.members if part.member is not None and part.uuid in present]
        return works_with(self.array.level, self.array.layout, self.array.disks, slots)

    def record(self, present: Container[str]) -> None:
        """What md writes to the members that are here when the array changes. ``present``: UUIDs of partitions."""
        here = [part.member for part in self.members if part.member is not None and part.uuid in present]
        slots = frozenset(member.slot for member in here)
        events = 1 + max((member.events for member in here), default=0)
        for member in here:
            member.active, member.events = slots, events


@dataclass(kw_only=True)
class FakeDisk:
    """A whole disk. ``present`` from ``appears_at`` seconds on the machine's monotonic clock of this boot.

    ``areas``: boot loader code by its offset. ``write_protected``: as flash that is worn out becomes. ``remains``: file
    systems and members of arrays that no partition table shows any more, by their first byte. A new partition that
    starts there shows them again, unless that place was cleared. ``fading``: places that are being cleared. ``gone``:
    it was pulled, or died; ``comes_back`` at the next start.
    """

    name: str
    device: DeviceNumber
    size: int
    bus: Bus = Bus.ATA
    model: str = "QEMU HARDDISK"
    vendor: str = "ATA"
    serial: str = ""
    table: PartitionTable | None = None
    partitions: list[FakePartition] = field(default_factory=list)
    appears_at: float = 0.0
    writes: int = 0
    write_protected: bool = False
    areas: dict[int, bytes] = field(default_factory=dict)
    old_contents: dict[int, FakeVolume | FakeMember] = field(default_factory=dict)
    clearing: frozenset[int] = frozenset()
    detached: bool = False
    reappears: bool = False

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
        """The table is gone; what it pointed to is still there."""
        self.old_contents |= {part.start: part.volume for part in self.partitions if part.volume is not None}
        self.old_contents |= {part.start: part.member for part in self.partitions if part.member is not None}
        self.table = None
        self.areas = {}
        self.partitions = []

    def volumes(self) -> tuple[FakeVolume, ...]:
        return tuple(part.volume for part in self.partitions if part.volume is not None)

    def apply_power_cut(self, choose: Callable[[int], int] | None) -> None:
        """Power is gone: see ``FakePartition.cut``."""
        for start in sorted(self.clearing):
            if choose is not None and choose(2):
                self.old_contents.pop(start, None)
        self.clearing = frozenset()
        for part in self.partitions:
            part.apply_power_cut(choose)


def ram() -> FakeVolume:
    """What is below all mount points."""
    return FakeVolume(kind=FileSystemKind.EXT4, label="", uuid="", size=1 << 30, in_memory=True)


@dataclass
class FakeMount:
    point: MountPoint
    volume: FakeVolume
    read_only: bool
