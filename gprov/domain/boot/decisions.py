"""Values that the boot decision returns (``gprov.domain.boot.decide.decide``)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from gprov.domain.boot.args import PreferredImage
from gprov.domain.disk.model import Volume

if TYPE_CHECKING:  # most units have no array: a normal boot should not import them
    from gprov.domain.boot.boot_request import EraseRequested
    from gprov.domain.boot.facts import BootFacts
    from gprov.domain.disk.arrays import FoundArray


class RestoreReason(Enum):
    """Why PRIMARY may be wiped."""

    REQUESTED_BY_ARGUMENTS = "requested by the boot entry"
    REQUESTED_BY_PERSON = "requested by a person"
    REQUESTED_BY_SYSTEM = "requested by the system"
    EMERGENCY_FILE = "an emergency file was found"
    FLAG_MISSING = "the root is not marked as bootable"
    DISKS_UNUSED = "the data disks are blank or erased"
    FILE_SYSTEM_ABSENT = "the data disks hold no root file system"
    BEYOND_REPAIR = "the root file system is beyond repair"
    BOOT_FILES_MISSING = "no boot loader finds the system any more"


@dataclass(frozen=True, slots=True)
class Erase:
    """Erase all data. ``confirmed``: a person chose it in the boot menu and confirmed it twice. ``request``: the
    running system requested it, for the unit with this serial number; None: kernel arguments or a person did."""

    confirmed: bool = False
    request: EraseRequested | None = None


@dataclass(frozen=True, slots=True)
class ShowEraseFailure:
    """Report that an earlier erase failed permanently; erase nothing."""


@dataclass(frozen=True, slots=True)
class FollowEraseRecord:
    """Continue the interrupted erase that RECOVERY records, or show the failure of a finished one. If a person chose
    neither a restore nor another erase then, call ``decide`` again."""


@dataclass(frozen=True, slots=True)
class OpenShell:
    """Recovery shell, after a password check."""


@dataclass(frozen=True, slots=True)
class OpenMenu:
    """Show the boot menu."""


@dataclass(frozen=True, slots=True)
class SwitchRoot:
    """Switch root to this mounted volume."""

    volume: Volume


@dataclass(frozen=True, slots=True)
class Restore:
    """Restore PRIMARY. ``evidence``: the observed facts, for the log. ``named``: file name of the image that is
    restored or nothing is; "" for the one that ``image`` prefers."""

    reason: RestoreReason
    evidence: str
    image: PreferredImage = PreferredImage.LATEST
    named: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawRequest:
    """Remove the running system's request from this root volume, report the reason, and call ``decide`` again."""

    volume: Volume
    reason: str


@dataclass(frozen=True, slots=True)
class CheckFileSystem:
    """Check and repair this volume (as ext4 if its contents are blank), search, mount and survey the data disks again,
    then call ``decide`` again."""

    volume: Volume
    reason: str


@dataclass(frozen=True, slots=True)
class UseVolume:
    """Use this volume as root: mount it and call ``decide`` again."""

    volume: Volume
    reason: str


@dataclass(frozen=True, slots=True)
class StartArray:
    """Start this array without its missing members, search, and call ``decide`` again."""

    array: FoundArray
    reason: str


@dataclass(frozen=True, slots=True)
class SurveyTargets:
    """Identify the platform, make a target survey, read RECOVERY, and call ``decide`` again."""


@dataclass(frozen=True, slots=True)
class KeepWaiting:
    """Call ``decide`` again at the next device or key event, and at ``until`` (seconds elapsed) at the latest. Failed
    mounts are repeated after ``decision.RETRY_SECONDS``."""

    reason: str
    until: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Show the reason and restart after a pause (``gprov.domain.boot.budget``). Nothing is wiped."""

    reason: str


Decision = (
    Erase
    | ShowEraseFailure
    | FollowEraseRecord
    | OpenShell
    | OpenMenu
    | SwitchRoot
    | Restore
    | WithdrawRequest
    | CheckFileSystem
    | UseVolume
    | StartArray
    | SurveyTargets
    | KeepWaiting
    | GiveUp
)


def wait_or_give_up(facts: BootFacts, reason: str) -> Decision:
    """Wait for further devices until the root deadline, then give up."""
    if facts.elapsed < facts.arguments.root_deadline:
        return KeepWaiting(reason, facts.arguments.root_deadline)
    return GiveUp(reason)


def restore_with(facts: BootFacts, reason: RestoreReason, evidence: str) -> Restore:
    """Restore the image that the arguments prefer."""
    return Restore(reason, evidence, facts.arguments.preferred_image)
