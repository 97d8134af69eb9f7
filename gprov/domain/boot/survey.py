"""What is on the disks that PRIMARY belongs on: the facts by which a missing root is judged.

A survey is made only when the root does not simply appear; a normal boot never needs one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from gprov.domain.disk.model import Contents, Disk, Volume

_RAID_MEMBERS = frozenset({"linux_raid_member", "isw_raid_member", "ddf_raid_member"})


class TargetState(Enum):
    """What one target disk holds.

    BLANK: no partition, no signature, and zeros at both ends: nothing that could be lost.
    OTHER: something, but no PRIMARY and no part of an array that could hide one.
    PRIMARY: a volume with PRIMARY's label.
    RAID_MEMBER: part of an array that is not running, so nobody knows what is in it.
    UNREADABLE: at least one part of it could not be read.
    """

    BLANK = "blank"
    OTHER = "without PRIMARY"
    PRIMARY = "with PRIMARY"
    RAID_MEMBER = "member of an array that does not run"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class TargetDisk:
    disk: Disk
    state: TargetState

    def describe(self) -> str:
        return f"{self.disk.node} {self.state.value}"


@dataclass(frozen=True, slots=True)
class TargetSurvey:
    """``expected``: data disks that the platform has, None if the platform is not known.

    ``primary``: volumes on target disks that carry PRIMARY's label. ``suspect``: the volume that PRIMARY should be
    on, if there is just one that qualifies and it holds nothing known. ``unfinished_restore``: RECOVERY holds the note
    that a restore began. Whoever writes that note does so before the first change to a target disk and removes it
    before the flag file is set, so that it can never be older than a root that is allowed to boot.
    """

    expected: int | None
    disks: tuple[TargetDisk, ...] = ()
    primary: tuple[Volume, ...] = ()
    suspect: Volume | None = None
    unfinished_restore: bool = False

    @property
    def complete(self) -> bool:
        """The platform is known, and each of its data disks is there: no fewer, no more."""
        return self.expected is not None and self.expected > 0 and len(self.disks) == self.expected

    @property
    def blank(self) -> bool:
        return self.complete and all(target.state is TargetState.BLANK for target in self.disks)

    @property
    def without_primary(self) -> bool:
        """Every expected disk is there and readable, and PRIMARY is on none of them."""
        harmless = (TargetState.BLANK, TargetState.OTHER)
        return self.complete and all(target.state in harmless for target in self.disks)

    def describe(self) -> str:
        if self.expected is None:
            return "the platform is unknown, so that nobody can say which disks to look at"
        found = ", ".join(target.describe() for target in self.disks) or "none"
        return f"{len(self.disks)} of {self.expected} data disks present: {found}"


def survey_targets(
    expected: int | None,
    targets: Collection[Disk],
    volumes: Collection[Volume],
    primary_label: str,
    *,
    zeroed: Collection[str] = (),
    arrays: Collection[Contents] = (),
    unfinished_restore: bool = False,
) -> TargetSurvey:
    """Judge the platform's data disks (``targets``, RECOVERY and the like already left out).

    ``volumes``: every partition, or whole disk without partitions, that could be probed; one that is missing could not
    be read. ``zeroed``: device files of disks whose first and last MiB were read and are zero. ``arrays``: what the
    running arrays hold.
    """
    unhidden = bool(arrays) and all(contents.label != primary_label for contents in arrays)
    by_disk = {disk.node: [volume for volume in volumes if volume.disk.device == disk.device] for disk in targets}
    judged = tuple(
        TargetDisk(disk, _state(disk, by_disk[disk.node], primary_label, disk.node in zeroed, unhidden))
        for disk in targets
    )
    mine = [volume for found in by_disk.values() for volume in found]
    primary = tuple(volume for volume in mine if volume.contents.label == primary_label)
    suspects = [volume for volume in mine if volume.partition is not None and volume.contents.blank]
    return TargetSurvey(
        expected,
        judged,
        primary,
        suspects[0] if len(suspects) == 1 and not primary else None,
        unfinished_restore,
    )


def _state(disk: Disk, volumes: list[Volume], label: str, zeroed: bool, unhidden: bool) -> TargetState:
    """``unhidden``: arrays run, and PRIMARY is in none of them."""
    if any(volume.contents.label == label for volume in volumes):
        return TargetState.PRIMARY
    if len(volumes) < max(1, len(disk.partitions)):
        return TargetState.UNREADABLE
    if any(volume.contents.kind in _RAID_MEMBERS for volume in volumes) and not unhidden:
        return TargetState.RAID_MEMBER
    if zeroed and not disk.partitions and all(volume.contents.blank for volume in volumes):
        return TargetState.BLANK
    return TargetState.OTHER
