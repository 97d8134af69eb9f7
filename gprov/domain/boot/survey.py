"""What is on the disks that PRIMARY belongs on: the facts by which a missing root is judged.

A survey is made only when the root does not simply appear; a normal boot never needs one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from gprov.domain.disk.model import Contents, Disk, Volume
from gprov.domain.disk.rootspec import RAID_MEMBER

# Holds nothing that outlives a start.
_SWAP = "swap"
_RAID_MEMBERS = frozenset({RAID_MEMBER, "isw_raid_member", "ddf_raid_member"})


class TargetState(Enum):
    """What one target disk holds.

    BLANK: no partition, no signature, and zeros at both ends: nothing that could be lost.
    OTHER: bytes or partitions, but nothing that is known, or swap, or a boot partition, or a part of this unit's array
    of which too little is left in all data disks together: what a restore leaves that was cut short.
    FOREIGN: something known that is not PRIMARY: somebody's file system, a volume group, an encrypted volume.
    PRIMARY: a volume with PRIMARY's label.
    RAID_MEMBER: part of an array that is not running, so nobody knows what is in it.
    UNREADABLE: at least one part of it could not be read, or shows more than one signature.
    """

    BLANK = "blank"
    OTHER = "without PRIMARY"
    FOREIGN = "with other data"
    PRIMARY = "with PRIMARY"
    RAID_MEMBER = "member of an array that does not run"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class TargetDisk:
    """``found``: what is known of its contents, for people. ``arrays``: UUIDs of those that it has members of."""

    disk: Disk
    state: TargetState
    contents: tuple[str, ...] = ()
    arrays: frozenset[str] = frozenset()

    def describe(self) -> str:
        return f"{self.disk.node} {self.state.value}" + (f" ({'; '.join(self.contents)})" if self.contents else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSurvey:
    """``expected``: data disks that the platform has, None if the platform is not known.

    ``primary``: volumes on target disks that carry PRIMARY's label. ``suspect``: the volume that PRIMARY should be
    on, if there is just one that qualifies and it holds nothing known. ``startable``: at least one target disk holds
    what a BIOS boot loader needs for a normal start; None if nobody looked. ``array``: what this unit's array is
    called, "" if it has none; ``own_arrays``: UUIDs of all that are called so.
    """

    expected: int | None
    disks: tuple[TargetDisk, ...] = ()
    primary: tuple[Volume, ...] = ()
    probable_primary: Volume | None = None
    array: str = ""
    boot_files_present: bool | None = None
    own_arrays: frozenset[str] = frozenset()

    @property
    def complete(self) -> bool:
        """The platform is known, and each of its data disks is there: no fewer, no more."""
        return self.expected is not None and self.expected > 0 and len(self.disks) == self.expected

    def contains(self, volume: Volume) -> bool:
        """Is this on the target disks, and on nothing else?"""
        targets = {target.disk.device for target in self.disks}
        return all(disk.device in targets for disk in volume.disks)

    def other_data_disks(self, volume: Volume) -> tuple[TargetDisk, ...]:
        """Target disks that may hold what matters to somebody, and neither this volume nor a member of its array."""
        harmless = (TargetState.BLANK, TargetState.OTHER)
        return tuple(
            target
            for target in self.disks
            if target.state not in harmless
            and all(disk.device != target.disk.device for disk in volume.disks)
            and not (target.arrays and target.arrays <= {volume.array})
        )

    @property
    def has_foreign_data(self) -> bool:
        return any(target.state is TargetState.FOREIGN for target in self.disks)

    @property
    def blank(self) -> bool:
        return self.complete and all(target.state is TargetState.BLANK for target in self.disks)

    @property
    def without_boot_files(self) -> bool:
        """Every expected disk is there and readable, nobody's data is on any, and no boot loader finds anything."""
        ours = (TargetState.BLANK, TargetState.OTHER, TargetState.PRIMARY)
        return self.complete and self.boot_files_present is False and all(target.state in ours for target in self.disks)

    @property
    def without_primary(self) -> bool:
        """Every expected disk is there and readable, and neither PRIMARY nor anybody's data is on any of them."""
        harmless = (TargetState.BLANK, TargetState.OTHER)
        return self.complete and all(target.state in harmless for target in self.disks)

    def describe(self) -> str:
        if self.expected is None:
            return "the platform is unknown, so that nobody can say which disks to look at"
        found = ", ".join(target.describe() for target in self.disks) or "none"
        startable = ", without boot files" if self.boot_files_present is False else ""
        return f"{len(self.disks)} of {self.expected} data disks present{startable}: {found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFacts:
    """What the platform's data disks are judged by (``targets``, RECOVERY and the like already left out).

    ``volumes``: every partition, whole disk without partitions, and running array that could be probed; one that is
    missing could not be read. ``zeroed``: device files of disks whose first and last MiB were read and are zero.
    ``boot_label``: of boot partitions, which hold nothing that a restore does not make again. ``lost_arrays``: UUIDs
    of this unit's own arrays of which too few members are in the machine. ``startable``: see ``TargetSurvey``.
    """

    expected: int | None
    targets: Collection[Disk]
    volumes: Collection[Volume]
    primary_label: str
    zeroed: Collection[str] = ()
    boot_label: str = ""
    array: str = ""
    lost_arrays: Collection[str] = ()
    boot_files_present: bool | None = None


def survey_targets(facts: SurveyFacts) -> TargetSurvey:
    """Judge each of the data disks, and all of them together."""
    volumes, array = facts.volumes, facts.array
    known = _Known(facts.primary_label, facts.boot_label, frozenset(facts.lost_arrays))
    judged = tuple(
        TargetDisk(
            disk,
            _state(disk, volumes, known, disk.node in facts.zeroed),
            tuple(_described(volume) for volume in _on(disk, volumes) if not volume.contents.blank),
            frozenset(
                volume.contents.uuid.lower() for volume in _on(disk, volumes) if volume.contents.kind in _RAID_MEMBERS
            ),
        )
        for disk in facts.targets
    )
    devices = {disk.device for disk in facts.targets}
    mine = [volume for volume in volumes if any(disk.device in devices for disk in volume.disks)]
    primary = tuple(volume for volume in mine if volume.contents.label == facts.primary_label)
    blank = [volume for volume in mine if volume.contents.blank]
    suspects = [volume for volume in blank if volume.array] or [volume for volume in blank if volume.partition]
    return TargetSurvey(
        expected=facts.expected,
        disks=judged,
        primary=primary,
        probable_primary=suspects[0] if len(suspects) == 1 and not primary else None,
        array=array,
        boot_files_present=facts.boot_files_present,
        own_arrays=frozenset(
            volume.contents.uuid.lower()
            for volume in volumes
            if array and volume.contents.kind in _RAID_MEMBERS and volume.contents.label == array
        ),
    )


def _on(disk: Disk, volumes: Collection[Volume]) -> list[Volume]:
    return [volume for volume in volumes if not volume.array and volume.disk.device == disk.device]


@dataclass(frozen=True, slots=True)
class _Known:
    """What volumes and arrays of the unit's own are called."""

    primary: str
    boot: str
    lost_arrays: frozenset[str]

    def worthless(self, contents: Contents) -> bool:
        """Nothing is lost with it."""
        return contents.blank or contents.kind == _SWAP or (bool(self.boot) and contents.label == self.boot)


def _state(disk: Disk, volumes: Collection[Volume], known: _Known, zeroed: bool) -> TargetState:
    """A member of an array that does not run hides what is in it, unless that is lost anyway."""
    own = _on(disk, volumes)
    arrays = {
        volume.array: volume.contents
        for volume in volumes
        if volume.array and any(other.device == disk.device for other in volume.disks)
    }
    found = [volume.contents for volume in own]
    if any(contents.label == known.primary for contents in (*found, *arrays.values())):
        return TargetState.PRIMARY
    if len(own) < max(1, len(disk.partitions)) or any(contents.ambivalent for contents in (*found, *arrays.values())):
        return TargetState.UNREADABLE
    members = {contents.uuid.lower() for contents in found if contents.kind in _RAID_MEMBERS}
    if not members <= {*arrays, *known.lost_arrays}:
        return TargetState.RAID_MEMBER
    found = [contents for contents in (*found, *arrays.values()) if contents.kind not in _RAID_MEMBERS]
    if not all(known.worthless(contents) for contents in found):
        return TargetState.FOREIGN
    if zeroed and not disk.partitions and all(contents.blank for contents in found):
        return TargetState.BLANK
    return TargetState.OTHER


def _described(volume: Volume) -> str:
    contents = volume.contents
    if contents.ambivalent:
        return f"{volume.node}: more than one signature"
    return f"{volume.node}: {contents.kind}" + (f" {contents.label!r}" if contents.label else "")
