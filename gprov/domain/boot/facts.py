"""Boot facts, the input of the boot decision: arguments, result of the root search, devices, key presses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.survey import TargetSurvey
from gprov.domain.disk.model import Volume

if TYPE_CHECKING:  # most units have no array: a normal boot should not import them
    from gprov.domain.boot.boot_request import BootRequest, UnreadableRequest
    from gprov.domain.disk.arrays import FoundArray


class Flag(Enum):
    """The flag file in a mounted root. UNREADABLE does not count as ABSENT."""

    PRESENT = "present"
    ABSENT = "absent"
    UNREADABLE = "unreadable"


class CheckOutcome(Enum):
    """Result of a file-system check. FAILED: the check itself could not run (device error, tool missing)."""

    GOOD = "is good"
    BEYOND_REPAIR = "is beyond repair"
    FAILED = "could not be checked"


@dataclass(frozen=True, slots=True)
class Mounted:
    """``switch_error``: error of the last switch root into this volume, "" if there was none. ``expects_display``: the
    last restore found a display, or the platform has one. ``request``: of the system for this start, None if there is
    none."""

    flag: Flag
    switch_error: str = ""
    expects_display: bool = False
    request: BootRequest | UnreadableRequest | None = None


@dataclass(frozen=True, slots=True)
class MountFailed:
    """``attempts``: mount attempts of this boot, ``decision.RETRY_SECONDS`` apart. Volumes on removable disks are never
    mounted: mounting can write to them."""

    error: str
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class NotFound:
    """No volume matches ``real_root``. ``arrays``: inactive arrays named PRIMARY."""

    arrays: tuple[FoundArray, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several volumes match ``real_root``."""

    volumes: tuple[Volume, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One volume matches ``real_root``. ``arrays``: as in ``NotFound``."""

    volume: Volume
    mount: Mounted | MountFailed
    arrays: tuple[FoundArray, ...] = ()


RootSearch = NotFound | Ambiguous | Found


@dataclass(frozen=True, slots=True, kw_only=True)
class BootFacts:
    """Facts ``elapsed`` seconds after the search for the root began.

    ``started_by_fallback``: this is a fallback boot (``entries.started_by_fallback``).
    ``targets``: None until ``SurveyTargets`` was returned, and again after a check or a change of devices.
    ``checks``: results of this boot, by ``Volume.stable_id``. ``operator_present``: an operator could press a key;
    False after the boot menu was left. ``emergency_files``: those that a restore would use, described.
    ``emergency_searched``: all removable volumes were searched for them. ``erase_followed``: ``FollowEraseRecord`` was
    returned before. ``request_settled``: the request on the root is not to be acted on (any more) in this boot.
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
    erase_followed: bool = False
    request_settled: bool = False
