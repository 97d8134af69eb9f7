"""The target survey: classifies the contents of the data disks when the root volume is missing or unusable.

A normal boot needs no survey.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from gprov.domain.disk.model import Contents, Disk, Volume
from gprov.domain.disk.rootspec import RAID_MEMBER

# Contents without value after a restart.
_SWAP = "swap"
_FIRMWARE_RAID = frozenset({"isw_raid_member", "ddf_raid_member"})
_RAID_MEMBERS = frozenset({RAID_MEMBER, *_FIRMWARE_RAID})


class TargetState(Enum):
    """Contents of one target disk.

    BLANK: no partition, no signature, and zeros at both ends.
    ERASED: no partition, and both ends as a data erase left them, which may have put back metadata of firmware RAID.
    OTHER: bytes or partitions without a known signature, swap, a boot partition, or members of the unit's own array
    that has lost too many members: the state after an interrupted restore.
    FOREIGN: a known signature that is not PRIMARY: a file system, a volume group, an encrypted volume.
    PRIMARY: a volume with the label of PRIMARY.
    RAID_MEMBER: member of an inactive array, whose contents are unknown.
    UNREADABLE: at least one part could not be read or has more than one signature.
    """

    BLANK = "blank"
    ERASED = "as the data erase left it"
    OTHER = "without PRIMARY"
    FOREIGN = "with other data"
    PRIMARY = "with PRIMARY"
    RAID_MEMBER = "member of an array that does not run"
    UNREADABLE = "unreadable"


_UNUSED = frozenset({TargetState.BLANK, TargetState.ERASED})
_HARMLESS = _UNUSED | {TargetState.OTHER}


@dataclass(frozen=True, slots=True)
class TargetDisk:
    """``contents``: descriptions of its volumes, for messages. ``arrays``: UUIDs of the arrays with members on it."""

    disk: Disk
    state: TargetState
    contents: tuple[str, ...] = ()
    arrays: frozenset[str] = frozenset()

    def describe(self) -> str:
        return f"{self.disk.node} {self.state.value}" + (f" ({'; '.join(self.contents)})" if self.contents else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSurvey:
    """``expected``: number of data disks of the platform, None if the platform is unknown.

    ``primary``: volumes on target disks labelled PRIMARY. ``probable_primary``: the only blank volume where PRIMARY
    should be, if there is exactly one. ``boot_files_present``: at least one target disk holds the files that a BIOS
    boot loader needs for a normal boot; None if not examined. ``array``: name of the unit's own array, "" if the
    platform has none; ``own_arrays``: UUIDs of all arrays with that name. ``without_root``: an erase that failed or was
    interrupted cleared all of these disks (``gprov.domain.erase.resume.leaves_no_root``). ``serial``: of the unit, ""
    if it is not known.
    """

    expected: int | None
    disks: tuple[TargetDisk, ...] = ()
    primary: tuple[Volume, ...] = ()
    probable_primary: Volume | None = None
    array: str = ""
    boot_files_present: bool | None = None
    own_arrays: frozenset[str] = frozenset()
    without_root: bool = False
    serial: str = ""

    @property
    def complete(self) -> bool:
        """The platform is known, and exactly its number of data disks is present."""
        return self.expected is not None and self.expected > 0 and len(self.disks) == self.expected

    def contains(self, volume: Volume) -> bool:
        """Whether the volume lies on target disks only."""
        targets = {target.disk.device for target in self.disks}
        return all(disk.device in targets for disk in volume.disks)

    def other_data_disks(self, volume: Volume) -> tuple[TargetDisk, ...]:
        """Target disks with data that a restore would also wipe: those without this volume and members of its array."""
        return tuple(
            target
            for target in self.disks
            if target.state not in _HARMLESS
            and all(disk.device != target.disk.device for disk in volume.disks)
            and not (target.arrays and target.arrays <= {volume.array})
        )

    @property
    def has_foreign_data(self) -> bool:
        return any(target.state is TargetState.FOREIGN for target in self.disks)

    @property
    def unused(self) -> bool:
        """All data disks are present, and nothing was written to them since they were cleared or erased."""
        return self.complete and all(target.state in _UNUSED for target in self.disks)

    @property
    def without_boot_files(self) -> bool:
        """All data disks are present and readable, none holds foreign data, and none holds boot files."""
        ours = _HARMLESS | {TargetState.PRIMARY}
        return self.complete and self.boot_files_present is False and all(target.state in ours for target in self.disks)

    @property
    def without_primary(self) -> bool:
        """All data disks are present and readable, and none holds PRIMARY or foreign data."""
        return self.complete and all(target.state in _HARMLESS for target in self.disks)

    def describe(self) -> str:
        if self.expected is None:
            return "platform unknown: cannot determine the data disks"
        found = ", ".join(target.describe() for target in self.disks) or "none"
        startable = ", without boot files" if self.boot_files_present is False else ""
        return f"{len(self.disks)} of {self.expected} data disks present{startable}: {found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFacts:
    """Input of the survey. ``targets``: the data disks, without excluded disks.

    ``volumes``: all partitions, whole disks without partitions, and running arrays that could be probed; unreadable
    ones are missing. ``zeroed``: device files of disks whose first and last MiB were read and are zero; ``as_erased``:
    of those where they were read and are what an erase left.
    ``boot_label``: label of boot partitions, which a restore recreates. ``lost_arrays``: UUIDs of the unit's own arrays
    that have too few members. ``boot_files_present``, ``without_root``, ``serial``: see ``TargetSurvey``.
    """

    expected: int | None
    targets: Collection[Disk]
    volumes: Collection[Volume]
    primary_label: str
    zeroed: Collection[str] = ()
    as_erased: Collection[str] = ()
    boot_label: str = ""
    array: str = ""
    lost_arrays: Collection[str] = ()
    boot_files_present: bool | None = None
    without_root: bool = False
    serial: str = ""


def survey_targets(facts: SurveyFacts) -> TargetSurvey:
    """Classify the contents of each target disk and find PRIMARY on them."""
    volumes, array = facts.volumes, facts.array
    known = _OwnNames(facts.primary_label, facts.boot_label, frozenset(facts.lost_arrays))
    target_disks = tuple(
        TargetDisk(
            disk,
            _state(disk, volumes, known, _Ends(disk.node in facts.zeroed, disk.node in facts.as_erased)),
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
        disks=target_disks,
        primary=primary,
        probable_primary=suspects[0] if len(suspects) == 1 and not primary else None,
        array=array,
        boot_files_present=facts.boot_files_present,
        without_root=facts.without_root,
        serial=facts.serial,
        own_arrays=frozenset(
            volume.contents.uuid.lower()
            for volume in volumes
            if array and volume.contents.kind in _RAID_MEMBERS and volume.contents.label == array
        ),
    )


def _on(disk: Disk, volumes: Collection[Volume]) -> list[Volume]:
    return [volume for volume in volumes if not volume.array and volume.disk.device == disk.device]


@dataclass(frozen=True, slots=True)
class _OwnNames:
    """Labels of the unit's own volumes, and UUIDs of its lost arrays."""

    primary: str
    boot: str
    lost_arrays: frozenset[str]

    def is_disposable(self, contents: Contents) -> bool:
        """Whether the contents are blank, swap or a boot partition, which a restore recreates."""
        return contents.blank or contents.kind == _SWAP or (bool(self.boot) and contents.label == self.boot)


@dataclass(frozen=True, slots=True)
class _Ends:
    """What both ends of a disk are."""

    zeroed: bool
    as_erased: bool

    def judge(self, disk: Disk, found: Collection[Contents]) -> TargetState | None:
        """``found``: on the disk and on arrays that run on it. None: the disk is neither blank nor erased."""
        if disk.partitions:
            return None
        if self.as_erased and all(contents.blank or contents.kind in _FIRMWARE_RAID for contents in found):
            return TargetState.ERASED
        return TargetState.BLANK if self.zeroed and all(contents.blank for contents in found) else None


def _state(disk: Disk, volumes: Collection[Volume], known: _OwnNames, ends: _Ends) -> TargetState:
    """Members of an inactive array have unknown contents, except members of a lost array."""
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
    if (unused := ends.judge(disk, (*found, *arrays.values()))) is not None:
        return unused
    members = {contents.uuid.lower() for contents in found if contents.kind in _RAID_MEMBERS}
    if not members <= {*arrays, *known.lost_arrays}:
        return TargetState.RAID_MEMBER
    found = [contents for contents in (*found, *arrays.values()) if contents.kind not in _RAID_MEMBERS]
    if not all(known.is_disposable(contents) for contents in found):
        return TargetState.FOREIGN
    return TargetState.OTHER


def _described(volume: Volume) -> str:
    contents = volume.contents
    if contents.ambivalent:
        return f"{volume.node}: more than one signature"
    return f"{volume.node}: {contents.kind}" + (f" {contents.label!r}" if contents.label else "")
