"""What a start of the normal kernel ends in: facts in, one decision out.

The app collects facts, asks, does what is asked of it (wait, mount, check, look at the disks), and asks again with the
facts as they are then, until the decision is final. Nothing here remembers anything.

A restore wipes PRIMARY, so it is decided on positive evidence only (docs/booting.md has the table of all cases). What
is merely missing or failing is waited for, checked, reported, and in the end given up visibly.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gprov.domain.boot.args import EraseMode
from gprov.domain.boot.decisions import (
    CheckFileSystem,
    Decision,
    Erase,
    GiveUp,
    KeepWaiting,
    OpenMenu,
    OpenShell,
    Restore,
    RestoreReason,
    ShowEraseFailure,
    StartArray,
    SurveyTargets,
    SwitchRoot,
    UseVolume,
)
from gprov.domain.boot.facts import Ambiguous, BootFacts, CheckOutcome, Flag, Found, Mounted, MountFailed, NotFound
from gprov.domain.boot.survey import TargetSurvey
from gprov.domain.disk.model import KNOWN_KINDS, Volume
from gprov.domain.disk.targets import removable_reason

if TYPE_CHECKING:  # most units have no array: a normal boot should not import them
    from gprov.domain.disk.arrays import FoundArray

# How long the first look at the devices may take before their absence means anything.
MIN_SEARCH_SECONDS = 3.0
# How long emergency files are looked for when everything else is ready.
EMERGENCY_SECONDS = 5.0
# Between two tries to mount a root whose file system was found good.
RETRY_SECONDS = 5.0
MOUNT_ATTEMPTS = 3
# Of one start: more disks are not exchanged meanwhile. What tells another identity each time is not checked for ever.
MAX_CHECKS = 8


def decide(facts: BootFacts) -> Decision:
    """Total: every combination of facts has a decision."""
    arguments = facts.arguments
    match arguments.erase:
        case EraseMode.REQUESTED:
            return Erase()
        case EraseMode.UNRECOVERABLE_ERROR:
            return ShowEraseFailure()
        case EraseMode.NONE:
            pass
    if arguments.shell:
        return OpenShell()
    if arguments.restore_requested and not facts.started_by_fallback:
        return _restore(facts, RestoreReason.REQUESTED_BY_ARGUMENTS, "started without real_root and DATA_ERASE")
    if facts.key_pressed:
        return OpenMenu()
    return _by_disks(facts)


def _by_disks(facts: BootFacts) -> Decision:
    targets = facts.targets
    if isinstance(facts.root, NotFound) and targets is not None and targets.blank and not facts.emergency_files:
        return _restore(facts, RestoreReason.DISKS_BLANK, targets.describe())
    if facts.operator_present and facts.elapsed < facts.arguments.key_window:
        return KeepWaiting("a key may be pressed", facts.arguments.key_window)
    if facts.emergency_files:
        return _restore(facts, RestoreReason.EMERGENCY_FILE, ", ".join(facts.emergency_files))
    if facts.arguments.loader_fallback and (found := _without_boot_files(facts)):
        return found
    match facts.root:
        case NotFound(arrays):
            return _without_members(facts, arrays) or _missing(facts, arrays)
        case Ambiguous(volumes):
            return _ambiguous(facts, volumes)
        case Found(volume, mount, arrays):
            return _own_array_waits(facts, volume, arrays) or _found(facts, volume, mount)


def _without_boot_files(facts: BootFacts) -> Decision | None:
    """The boot loader started recovery by itself. If it is right that no data disk can be started from, a unit that
    depends on this loader is not whole; if it is wrong (a disk was slow), the system is there and starts."""
    if facts.targets is None:
        return SurveyTargets() if isinstance(facts.root, Found) else None
    if not facts.targets.without_boot_files:
        return None
    return _restore(facts, RestoreReason.BOOT_FILES_MISSING, facts.targets.describe())


def _found(facts: BootFacts, volume: Volume, mount: Mounted | MountFailed) -> Decision:
    outside = removable_reason(volume.disk)
    if not outside and isinstance(mount, Mounted) and mount.flag is Flag.PRESENT:
        return _startable(facts, volume, mount)
    if facts.targets is None:
        return SurveyTargets()
    if outside:
        return _doubt(facts, f"{_no_data_disk(volume)}: it {outside}")
    match mount:
        case MountFailed(error, attempts):
            return _unusable(facts, facts.targets, volume, error, attempts)
        case Mounted(Flag.ABSENT):
            seen = f"{volume.node} is mounted and has no flag file"
            return _judged(facts, facts.targets, volume, RestoreReason.FLAG_MISSING, seen)
        case Mounted():
            return _unusable(facts, facts.targets, volume, "its flag file cannot be read", MOUNT_ATTEMPTS)


def _startable(facts: BootFacts, volume: Volume, mounted: Mounted) -> Decision:
    if mounted.switch_error:
        return GiveUp(f"cannot start the system on {volume.node}: {mounted.switch_error}")
    if not facts.emergency_searched and facts.elapsed < EMERGENCY_SECONDS:
        return KeepWaiting("looking for emergency files", EMERGENCY_SECONDS)
    return SwitchRoot(volume)


def _unusable(facts: BootFacts, targets: TargetSurvey, volume: Volume, error: str, attempts: int) -> Decision:
    outcome = facts.checks.get(volume.stable_id)
    if _check_due(facts, volume) and (volume.contents.blank or volume.contents.kind in KNOWN_KINDS):
        return CheckFileSystem(volume, f"cannot use {volume.node}: {error}")
    if outcome is CheckOutcome.BEYOND_REPAIR:
        seen = f"{volume.node}: {error}; the check could not repair it"
        return _judged(facts, targets, volume, RestoreReason.BEYOND_REPAIR, seen)
    if attempts < MOUNT_ATTEMPTS and facts.elapsed < facts.arguments.root_deadline:
        return KeepWaiting(f"cannot use {volume.node}: {error}", _next_try(facts))
    state = f"; its file system {outcome.value}" if outcome else ""
    return GiveUp(f"cannot use {volume.node}: {error}{state}")


def _check_due(facts: BootFacts, volume: Volume) -> bool:
    return volume.stable_id not in facts.checks and len(facts.checks) < MAX_CHECKS


def _judged(facts: BootFacts, targets: TargetSurvey, volume: Volume, reason: RestoreReason, seen: str) -> Decision:
    """What was seen on a volume speaks for a restore only if that is the unit's own PRIMARY beyond doubt."""
    if not targets.contains(volume):
        return _doubt(facts, f"{seen}, but {_no_data_disk(volume)}; {targets.describe()}")
    if not targets.complete:
        return _doubt(facts, f"{seen}, but {targets.describe()}")
    if beside := targets.other_data_disks(volume):
        others = ", ".join(target.describe() for target in beside)
        return _doubt(facts, f"{seen}, but a restore would also wipe {others}")
    return _restore(facts, reason, seen)


def _without_members(facts: BootFacts, arrays: tuple[FoundArray, ...]) -> Decision | None:
    """Arrays that could run without those of their members that do not come; None if there is none.

    What was tried and failed is not tried again here: the search does that.
    """
    startable = [array for array in arrays if array.startable and not array.start_error]
    if not startable:
        return None
    until = min(facts.arguments.array_wait, facts.arguments.root_deadline)
    if facts.elapsed < until:
        return KeepWaiting(_told(startable), until)
    if len(startable) == 1:
        return StartArray(startable[0], f"no further member within {until:g} s")
    if facts.targets is None:
        return SurveyTargets()
    own = [array for array in startable if array.name == facts.targets.array]
    if len(own) == 1:
        return StartArray(own[0], "of several incomplete arrays only this is the unit's own")
    return _doubt(facts, f"more than one incomplete array could hold the root: {_told(startable)}")


def _own_array_waits(facts: BootFacts, volume: Volume, arrays: tuple[FoundArray, ...]) -> Decision | None:
    """What was found, perhaps on a disk that was in another unit, is not this unit's own system if that waits for a
    member of its array."""
    startable = [array for array in arrays if array.startable and not array.start_error]
    if not startable:
        return None
    if facts.targets is None:
        return SurveyTargets()
    if volume.array in facts.targets.own_arrays:
        return None
    return _without_members(facts, tuple(array for array in startable if array.name == facts.targets.array))


def _told(arrays: Iterable[FoundArray]) -> str:
    return ", and ".join(array.describe() for array in arrays)


def _missing(facts: BootFacts, arrays: tuple[FoundArray, ...]) -> Decision:
    if facts.elapsed < MIN_SEARCH_SECONDS:
        return KeepWaiting("the root has not appeared yet", MIN_SEARCH_SECONDS)
    targets = facts.targets
    if targets is None:
        return SurveyTargets()
    seen = "; ".join([*(array.describe() for array in arrays), targets.describe()])
    if facts.elapsed < facts.arguments.root_deadline:
        return KeepWaiting(f"the root has not appeared yet; {seen}", facts.arguments.root_deadline)
    if len(targets.primary) == 1:
        return UseVolume(targets.primary[0], "nothing answers to real_root, but this carries the label")
    if not targets.without_primary:
        hint = (
            "; whoever wants none of that data may start a factory restore by hand" if targets.has_foreign_data else ""
        )
        return GiveUp(f"the root does not appear; {seen}{hint}")
    if targets.probable_primary is not None:
        outcome = facts.checks.get(targets.probable_primary.stable_id)
        if _check_due(facts, targets.probable_primary):
            return CheckFileSystem(
                targets.probable_primary, "the root should be here, perhaps only its superblock is lost"
            )
        if outcome is not CheckOutcome.BEYOND_REPAIR:
            found = outcome.value if outcome is not None else "was on another disk at each check"
            where = f"{targets.probable_primary.node}, where it should be, {found}"
            return GiveUp(f"the root does not appear; {where}")
    return _restore(facts, RestoreReason.FILE_SYSTEM_ABSENT, seen)


def _ambiguous(facts: BootFacts, volumes: tuple[Volume, ...]) -> Decision:
    nodes = ", ".join(volume.node for volume in volumes)
    if facts.targets is None:
        return SurveyTargets()
    own = [volume for volume in volumes if facts.targets.contains(volume)]
    if len(own) == 1:
        return UseVolume(own[0], f"of {nodes} only this is on a data disk of the platform")
    own = [volume for volume in own if volume.array in facts.targets.own_arrays]
    if len(own) == 1:
        return UseVolume(own[0], f"of {nodes} only this is on the unit's own array")
    return _doubt(facts, f"more than one volume could be the root: {nodes}")


def _no_data_disk(volume: Volume) -> str:
    return f"{volume.node} is on a disk that is no data disk of the platform"


def _doubt(facts: BootFacts, reason: str) -> Decision:
    """Another disk may still come and end it."""
    if facts.elapsed < facts.arguments.root_deadline:
        return KeepWaiting(reason, facts.arguments.root_deadline)
    return GiveUp(reason)


def _restore(facts: BootFacts, reason: RestoreReason, evidence: str) -> Restore:
    return Restore(reason, evidence, facts.arguments.preferred_image)


def _next_try(facts: BootFacts) -> float:
    return min(facts.elapsed + RETRY_SECONDS, facts.arguments.root_deadline)
