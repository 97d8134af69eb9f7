"""What a boot decision rests on: arguments, the search for the root, what people and devices did so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.survey import TargetSurvey
from gprov.domain.disk.model import Volume

if TYPE_CHECKING:  # most units have no array: a normal boot should not import them
    from gprov.domain.disk.arrays import FoundArray


class Flag(Enum):
    """The flag file in a mounted root. UNREADABLE is no absence."""

    PRESENT = "present"
    ABSENT = "absent"
    UNREADABLE = "unreadable"


class CheckOutcome(Enum):
    """What checking a file system came to; FAILED: the check itself could not run (device errors, no tool)."""

    GOOD = "is good"
    BEYOND_REPAIR = "is beyond repair"
    FAILED = "could not be checked"


@dataclass(frozen=True, slots=True)
class Mounted:
    """``switch_error``: why switching to it failed, if that was tried."""

    flag: Flag
    switch_error: str = ""


@dataclass(frozen=True, slots=True)
class MountFailed:
    """``attempts``: how often it was tried in this start, with some time in between. Volumes on removable disks are
    never mounted: that alone can write to them."""

    error: str
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class NotFound:
    """No volume answers to what ``real_root`` says. ``arrays`` of PRIMARY's name do not run (yet)."""

    arrays: tuple[FoundArray, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several do."""

    volumes: tuple[Volume, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """``arrays``: as ``NotFound`` has them."""

    volume: Volume
    mount: Mounted | MountFailed
    arrays: tuple[FoundArray, ...] = ()


RootSearch = NotFound | Ambiguous | Found


@dataclass(frozen=True, slots=True, kw_only=True)
class BootFacts:
    """What is known ``elapsed`` seconds after the search for the root began.

    ``started_by_fallback``: nobody chose this start although it has no arguments (``entries.started_by_fallback``).
    ``targets``: None until the decision asked for it, and again after a check or a change of devices.
    ``checks``: outcomes of this start by the volume's mark. ``operator_present``: somebody could press a key; False
    once a person has left the menu. ``emergency_searched``: every removable volume that is there was looked at.
    """

    arguments: BootArguments
    started_by_fallback: bool = False
    elapsed: float = 0.0
    root: RootSearch = field(default_factory=NotFound)
    targets: TargetSurvey | None = None
    checks: Mapping[str, CheckOutcome] = field(default_factory=dict)
    operator_present: bool = False
    key_pressed: bool = False
    emergency_files: tuple[str, ...] = ()
    emergency_searched: bool = True
