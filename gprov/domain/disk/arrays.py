"""Software RAID arrays as values: inactive arrays, reconstructed from member superblocks, and running arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from gprov.domain.disk.model import Disk, Partition
from gprov.domain.formats.disk.device_number import DeviceNumber

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.formats.disk.md_superblock import MemberRecord

# md's numbers for the levels with redundancy; all other levels need all members.
_RAID1, _RAID5, _RAID6, _RAID10 = 1, 5, 6, 10
# Event counts of up-to-date members may differ by one: a power cut between two superblock writes.
_EVENTS_APART = 1


class ArrayState(Enum):
    """CLEAN: all slots have a complete member. DEGRADED: readable with members missing. FAILED: too few members."""

    CLEAN = "clean"
    DEGRADED = "degraded"
    FAILED = "failed"


def works_with(level: int, layout: int, disks: int, slots: Collection[int]) -> bool:
    """Whether an array is readable with members in these slots only. ``level``, ``layout``: md's numbers."""
    have = frozenset(slot for slot in slots if 0 <= slot < disks)
    if level == _RAID1:
        return bool(have)
    if level == _RAID10:
        return _copies_left(layout, disks, have)
    spare = {_RAID5: 1, _RAID6: 2}.get(level, 0)
    return len(have) >= disks - spare


def _copies_left(layout: int, disks: int, have: frozenset[int]) -> bool:
    """RAID 10: the low byte of the layout is the number of near copies, the next byte that of far copies (``_enough``
    in the kernel's drivers/md/raid10.c). Layouts with far copies are assumed to tolerate one missing disk."""
    near, far = layout & 0xFF, layout >> 8 & 0xFF
    if near < 1 or far != 1:
        return len(have) >= disks - 1
    first = 0
    while True:
        if not any((first + copy) % disks in have for copy in range(near)):
            return False
        first = (first + near) % disks
        if first == 0:
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A partition (or whole disk) with a RAID superblock."""

    disk: Disk
    partition: Partition | None
    node: str
    device: DeviceNumber
    record: MemberRecord

    def describe(self) -> str:
        slot = "spare" if self.record.slot is None else f"slot {self.record.slot}"
        return f"{self.node} ({slot}, {self.disk.identity})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundArray:
    """An inactive array, described by the superblocks of the members that are present.

    ``members``: up-to-date members; ``stale``: members that missed changes. ``expected``: slots in use at the last
    change. ``inconsistency``: contradiction between superblocks, "" if there is none. ``start_error``: error of the
    last attempt to start it, "" if there was none.
    """

    uuid: str
    name: str
    level: int
    layout: int
    disks: int
    members: tuple[Member, ...]
    stale: tuple[Member, ...] = ()
    expected: frozenset[int] = frozenset()
    inconsistency: str = ""
    start_error: str = ""

    @property
    def slots(self) -> frozenset[int]:
        """Slots with a complete member (not being rebuilt)."""
        return frozenset(
            member.record.slot
            for member in self.members
            if member.record.slot is not None and not member.record.rebuilding
        )

    @property
    def state(self) -> ArrayState:
        if not works_with(self.level, self.layout, self.disks, self.slots):
            return ArrayState.FAILED
        return ArrayState.CLEAN if len(self.slots) == self.disks else ArrayState.DEGRADED

    @property
    def startable(self) -> bool:
        return self.state is not ArrayState.FAILED and not self.inconsistency

    @property
    def complete(self) -> bool:
        """All members that were active at the last update are present."""
        present = {member.record.slot for member in self.members}
        return self.startable and self.expected <= present

    @property
    def missing(self) -> tuple[int, ...]:
        """Slots without a member, stale members included."""
        present = {member.record.slot for member in (*self.members, *self.stale)}
        return tuple(slot for slot in range(self.disks) if slot not in present)

    @property
    def unclean(self) -> bool:
        """Degraded RAID 5 or 6 that was not stopped cleanly: parity for the missing member may be wrong."""
        parity = self.level in (_RAID5, _RAID6) and self.state is ArrayState.DEGRADED
        return parity and not all(member.record.clean for member in self.members)

    @property
    def short_name(self) -> str:
        """Name without the host."""
        return self.name.rpartition(":")[2]

    def describe(self) -> str:
        here = ", ".join(member.describe() for member in self.members) or "no member"
        texts = [f"array {self.name} (RAID {self.level}, {self.disks} disks) is {self.state.value}: {here} present"]
        if self.missing:
            texts.append("missing " + slots_text(self.missing))
        if self.unclean:
            texts.append("data written at the time of the power cut may be damaged")
        if self.stale:
            texts.append("out of date: " + ", ".join(member.describe() for member in self.stale))
        texts += [text for text in (self.inconsistency, self.start_error) if text]
        return "; ".join(texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningArray:
    """An array that the kernel has assembled. ``members``: device numbers; ``working``: number of complete members."""

    node: str
    device: DeviceNumber
    uuid: str
    disks: int
    working: int
    members: frozenset[DeviceNumber] = field(default_factory=frozenset)


def slots_text(slots: Sequence[int]) -> str:
    return ("slot " if len(slots) == 1 else "slots ") + ", ".join(map(str, slots))


def found_arrays(members: Iterable[Member]) -> tuple[FoundArray, ...]:
    """Group members into arrays by array UUID; names and ports are ignored."""
    by_uuid: dict[str, list[Member]] = {}
    for member in members:
        by_uuid.setdefault(member.record.array, []).append(member)
    return tuple(_found(group) for _, group in sorted(by_uuid.items()))


def _found(group: Sequence[Member]) -> FoundArray:
    newest = max(group, key=lambda member: (member.record.events, member.node))
    last = newest.record
    fresh: list[Member] = []
    stale: list[Member] = []
    for member in sorted(group, key=_by_slot):
        # A slot that the newest superblock does not list as active was dropped from the array: its data is stale.
        active = member.record.slot is None or member.record.slot in last.active
        current = last.events - member.record.events <= _EVENTS_APART and active
        (fresh if current else stale).append(member)
    taken = [member.record.slot for member in fresh if member.record.slot is not None]
    twice = sorted({slot for slot in taken if taken.count(slot) > 1})
    inconsistency = f"more than one member for {slots_text(twice)}" if twice else ""
    if any(_shape(member.record) != _shape(last) for member in fresh):
        inconsistency = inconsistency or "its members have different level, layout or number of disks"
    return FoundArray(
        uuid=last.array,
        name=last.name,
        level=last.level,
        layout=last.layout,
        disks=last.disks,
        members=tuple(fresh),
        stale=tuple(stale),
        expected=last.active,
        inconsistency=inconsistency,
    )


def _shape(record: MemberRecord) -> tuple[int, int, int]:
    return record.level, record.layout, record.disks


def _by_slot(member: Member) -> tuple[int, str]:
    slot = member.record.slot
    return (slot if slot is not None else member.record.disks, member.node)
