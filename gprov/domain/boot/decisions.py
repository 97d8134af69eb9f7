"""What a boot can be told to do next (``gprov.domain.boot.decision``): one value for each, with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from gprov.domain.boot.args import PreferredImage
from gprov.domain.disk.model import Volume

if TYPE_CHECKING:  # most units have no array: a normal boot should not import them
    from gprov.domain.disk.arrays import FoundArray


class RestoreReason(Enum):
    """Why PRIMARY may be wiped."""

    REQUESTED_BY_ARGUMENTS = "requested by the boot entry"
    REQUESTED_BY_PERSON = "requested by a person"
    EMERGENCY_FILE = "an emergency file was found"
    FLAG_MISSING = "the root is not marked as bootable"
    DISKS_BLANK = "the data disks are blank"
    FILE_SYSTEM_ABSENT = "the data disks hold no root file system"
    BEYOND_REPAIR = "the root file system is beyond repair"
    BOOT_FILES_MISSING = "no boot loader finds the system any more"


@dataclass(frozen=True, slots=True)
class Erase:
    """Erase all data."""


@dataclass(frozen=True, slots=True)
class ShowEraseFailure:
    """Show that an earlier erase failed for good; erase nothing."""


@dataclass(frozen=True, slots=True)
class OpenShell:
    """Recovery shell, after a password check."""


@dataclass(frozen=True, slots=True)
class OpenMenu:
    """Show the boot menu."""


@dataclass(frozen=True, slots=True)
class SwitchRoot:
    """Become the system on this mounted volume."""

    volume: Volume


@dataclass(frozen=True, slots=True)
class Restore:
    """``evidence``: what was seen, for the log."""

    reason: RestoreReason
    evidence: str
    image: PreferredImage = PreferredImage.LATEST


@dataclass(frozen=True, slots=True)
class CheckFileSystem:
    """Check and repair this volume (as ext4 if it holds nothing known), search, mount and look at the data disks
    again, then ask again."""

    volume: Volume
    reason: str


@dataclass(frozen=True, slots=True)
class UseVolume:
    """Take this volume for the root, mount it and ask again."""

    volume: Volume
    reason: str


@dataclass(frozen=True, slots=True)
class StartArray:
    """Start this array without its missing members, search, and ask again."""

    array: FoundArray
    reason: str


@dataclass(frozen=True, slots=True)
class SurveyTargets:
    """Identify the platform, look at its data disks and at RECOVERY, and ask again."""


@dataclass(frozen=True, slots=True)
class KeepWaiting:
    """Ask again when a device or key event comes, and at ``until`` (seconds elapsed) at the latest. What did not mount
    is tried again after ``decision.RETRY_SECONDS``."""

    reason: str
    until: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Show the reason and restart after a pause (``gprov.domain.boot.budget`` says how long). Nothing is wiped."""

    reason: str


Decision = (
    Erase
    | ShowEraseFailure
    | OpenShell
    | OpenMenu
    | SwitchRoot
    | Restore
    | CheckFileSystem
    | UseVolume
    | StartArray
    | SurveyTargets
    | KeepWaiting
    | GiveUp
)
