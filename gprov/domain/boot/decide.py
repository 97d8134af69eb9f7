"""The boot decision of the normal kernel: a pure function from boot facts to one decision.

The flow collects facts, calls ``decide``, carries out the decision (wait, mount, check, survey the targets) and calls
``decide`` again with updated facts, until the decision is final. This module keeps no state.

A restore wipes PRIMARY, so it requires positive evidence (table of all cases: docs/booting.md). Missing or failing
devices are waited for, checked and reported; at the deadline the boot is given up with a message.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gprov.domain.boot.args import EraseMode
from gprov.domain.boot.decisions import (
    CheckFileSystem,
    Decision,
    Erase,
    FollowEraseRecord,
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

# Before this time a missing root volume is not acted upon: the kernel is still detecting devices.
MIN_SEARCH_SECONDS = 3.0
# A display delays a start by no more than this.
DISPLAY_SECONDS = 1.0
# Pause between two attempts to mount the root volume.
RETRY_SECONDS = 5.0
MOUNT_ATTEMPTS = 3
# File-system checks per boot. The limit ends the loop if a defective disk reports another identity at each scan.
MAX_CHECKS = 8


def decide(facts: BootFacts) -> Decision:
    """Return the next action. Total: every combination of facts has a decision."""
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
    return _decide_from_disks(facts)


def _decide_from_disks(facts: BootFacts) -> Decision:
    """Decision when neither arguments nor a key press determine it."""
    targets = facts.targets
    if isinstance(facts.root, NotFound) and targets is not None and targets.without_root and not facts.erase_followed:
        return FollowEraseRecord()
    if isinstance(facts.root, NotFound) and targets is not None and targets.unused and not facts.emergency_files:
        return _search_media(facts) or _restore(facts, RestoreReason.DISKS_UNUSED, targets.describe())
    if facts.operator_present and facts.elapsed < facts.arguments.key_window:
        return KeepWaiting("a key may be pressed", facts.arguments.key_window)
    if facts.emergency_files:
        return _decide_with_emergency_files(facts)
    return _decide_by_evidence(facts)


def _decide_with_emergency_files(facts: BootFacts) -> Decision:
    """Restore, as soon as it is known that the system on PRIMARY was not restored with these files already: the stick
    may be forgotten in the unit. Without a root that can be read, the decision is that of a boot without these files
    as long as that one waits or finds out more."""
    restore = _restore(facts, RestoreReason.EMERGENCY_FILE, ", ".join(facts.emergency_files))
    if waiting := _search_media(facts):
        return waiting
    root = facts.root
    if isinstance(root, Found) and isinstance(root.mount, Mounted) and root.mount.flag is not Flag.UNREADABLE:
        return restore
    if facts.targets is not None and facts.targets.complete and facts.targets.without_primary:
        return restore
    decision = _decide_by_evidence(facts)
    return decision if isinstance(decision, KeepWaiting | SurveyTargets | UseVolume | StartArray) else restore


def _decide_by_evidence(facts: BootFacts) -> Decision:
    if facts.arguments.loader_fallback and (found := _without_boot_files(facts)):
        return found
    match facts.root:
        case NotFound(arrays):
            return _start_degraded_array(facts, arrays) or _decide_root_missing(facts, arrays)
        case Ambiguous(volumes):
            return _decide_root_ambiguous(facts, volumes)
        case Found(volume, mount, arrays):
            return _wait_for_own_array(facts, volume, arrays) or _decide_root_found(facts, volume, mount)


def _without_boot_files(facts: BootFacts) -> Decision | None:
    """Decision after a fallback boot by the BIOS boot loader: restore if the boot files are missing on all data disks,
    since the loader cannot start the system then. None if they exist (the loader missed a slow disk)."""
    if facts.targets is None:
        return SurveyTargets() if isinstance(facts.root, Found) else None
    if not facts.targets.without_boot_files:
        return None
    return _restore(facts, RestoreReason.BOOT_FILES_MISSING, facts.targets.describe())


def _decide_root_found(facts: BootFacts, volume: Volume, mount: Mounted | MountFailed) -> Decision:
    outside = removable_reason(volume.disk)
    if not outside and isinstance(mount, Mounted) and mount.flag is Flag.PRESENT:
        return _decide_root_usable(facts, volume, mount)
    if facts.targets is None:
        return SurveyTargets()
    if outside:
        return _wait_or_give_up(facts, f"{_not_on_data_disk(volume)}: it {outside}")
    match mount:
        case MountFailed(error, attempts):
            return _decide_root_unusable(facts, facts.targets, volume, error, attempts)
        case Mounted(Flag.ABSENT):
            seen = f"{volume.node} is mounted and has no flag file"
            return _restore_if_own_primary(facts, facts.targets, volume, RestoreReason.FLAG_MISSING, seen)
        case Mounted():
            return _decide_root_unusable(facts, facts.targets, volume, "its flag file cannot be read", MOUNT_ATTEMPTS)


def _decide_root_usable(facts: BootFacts, volume: Volume, mounted: Mounted) -> Decision:
    if mounted.switch_error:
        return GiveUp(f"cannot start the system on {volume.node}: {mounted.switch_error}")
    return _wait_for_display(facts, mounted) or _search_media(facts) or SwitchRoot(volume)


def _wait_for_display(facts: BootFacts, mounted: Mounted) -> KeepWaiting | None:
    """A display on USB appears later than a disk: without this wait no key could be pressed on it. None: go on."""
    until = min(DISPLAY_SECONDS, facts.arguments.key_window)
    if not mounted.expects_display or facts.operator_present or facts.elapsed >= until:
        return None
    return KeepWaiting("looking for the unit's display", until)


def _search_media(facts: BootFacts) -> KeepWaiting | None:
    """Wait for the search of removable volumes, within its limit; None if it is over."""
    limit = facts.arguments.emergency_wait
    if facts.emergency_searched or facts.elapsed >= limit:
        return None
    return KeepWaiting("looking for emergency files", limit)


def _decide_root_unusable(
    facts: BootFacts, targets: TargetSurvey, volume: Volume, error: str, attempts: int
) -> Decision:
    outcome = facts.checks.get(volume.stable_id)
    if _check_due(facts, volume) and (volume.contents.blank or volume.contents.kind in KNOWN_KINDS):
        return CheckFileSystem(volume, f"cannot use {volume.node}: {error}")
    if outcome is CheckOutcome.BEYOND_REPAIR:
        seen = f"{volume.node}: {error}; the check could not repair it"
        return _restore_if_own_primary(facts, targets, volume, RestoreReason.BEYOND_REPAIR, seen)
    if attempts < MOUNT_ATTEMPTS and facts.elapsed < facts.arguments.root_deadline:
        return KeepWaiting(f"cannot use {volume.node}: {error}", _next_attempt_time(facts))
    state = f"; its file system {outcome.value}" if outcome else ""
    return GiveUp(f"cannot use {volume.node}: {error}{state}")


def _check_due(facts: BootFacts, volume: Volume) -> bool:
    return volume.stable_id not in facts.checks and len(facts.checks) < MAX_CHECKS


def _restore_if_own_primary(
    facts: BootFacts, targets: TargetSurvey, volume: Volume, reason: RestoreReason, seen: str
) -> Decision:
    """Restore only if the volume lies on the unit's complete set of data disks and no other data disk holds data."""
    if not targets.contains(volume):
        return _wait_or_give_up(facts, f"{seen}, but {_not_on_data_disk(volume)}; {targets.describe()}")
    if not targets.complete:
        return _wait_or_give_up(facts, f"{seen}, but {targets.describe()}")
    if others := targets.other_data_disks(volume):
        texts = ", ".join(target.describe() for target in others)
        return _wait_or_give_up(facts, f"{seen}, but a restore would also wipe {texts}")
    return _restore(facts, reason, seen)


def _start_degraded_array(facts: BootFacts, arrays: tuple[FoundArray, ...]) -> Decision | None:
    """Wait for missing members, then start the array degraded. None if no array can run without them.

    Arrays with a start error are skipped: the search for the root retries them.
    """
    startable = [array for array in arrays if array.startable and not array.start_error]
    if not startable:
        return None
    until = min(facts.arguments.array_wait, facts.arguments.root_deadline)
    if facts.elapsed < until:
        return KeepWaiting(_describe_arrays(startable), until)
    if len(startable) == 1:
        return StartArray(startable[0], f"no further member within {until:g} s")
    if facts.targets is None:
        return SurveyTargets()
    own = [array for array in startable if array.name == facts.targets.array]
    if len(own) == 1:
        return StartArray(own[0], "only this of several incomplete arrays belongs to the unit")
    return _wait_or_give_up(facts, f"more than one incomplete array could hold the root: {_describe_arrays(startable)}")


def _wait_for_own_array(facts: BootFacts, volume: Volume, arrays: tuple[FoundArray, ...]) -> Decision | None:
    """The unit's own array is incomplete and another volume matches: wait for the array, since the volume may be on a
    disk of another unit. None if no own array waits."""
    startable = [array for array in arrays if array.startable and not array.start_error]
    if not startable:
        return None
    if facts.targets is None:
        return SurveyTargets()
    if volume.array in facts.targets.own_arrays:
        return None
    return _start_degraded_array(facts, tuple(array for array in startable if array.name == facts.targets.array))


def _describe_arrays(arrays: Iterable[FoundArray]) -> str:
    return ", and ".join(array.describe() for array in arrays)


def _decide_root_missing(facts: BootFacts, arrays: tuple[FoundArray, ...]) -> Decision:
    if facts.elapsed < MIN_SEARCH_SECONDS:
        return KeepWaiting("root volume not found yet", MIN_SEARCH_SECONDS)
    targets = facts.targets
    if targets is None:
        return SurveyTargets()
    seen = "; ".join([*(array.describe() for array in arrays), targets.describe()])
    if facts.elapsed < facts.arguments.root_deadline:
        return KeepWaiting(f"root volume not found yet; {seen}", facts.arguments.root_deadline)
    if len(targets.primary) == 1:
        return UseVolume(targets.primary[0], "no volume matches real_root; using the only volume labelled PRIMARY")
    if not targets.without_primary:
        hint = "; to discard the data on these disks, start a factory restore from the boot menu"
        return GiveUp(f"root volume not found; {seen}{hint if targets.has_foreign_data else ''}")
    if targets.probable_primary is not None:
        outcome = facts.checks.get(targets.probable_primary.stable_id)
        if _check_due(facts, targets.probable_primary):
            return CheckFileSystem(targets.probable_primary, "probably PRIMARY with a damaged superblock")
        if outcome is not CheckOutcome.BEYOND_REPAIR:
            result = outcome.value if outcome is not None else "was on another disk at each check"
            return GiveUp(f"root volume not found; {targets.probable_primary.node}, probably PRIMARY, {result}")
    return _restore(facts, RestoreReason.FILE_SYSTEM_ABSENT, seen)


def _decide_root_ambiguous(facts: BootFacts, volumes: tuple[Volume, ...]) -> Decision:
    nodes = ", ".join(volume.node for volume in volumes)
    if facts.targets is None:
        return SurveyTargets()
    own = [volume for volume in volumes if facts.targets.contains(volume)]
    if len(own) == 1:
        return UseVolume(own[0], f"of {nodes} only this volume is on a data disk of the platform")
    own = [volume for volume in own if volume.array in facts.targets.own_arrays]
    if len(own) == 1:
        return UseVolume(own[0], f"of {nodes} only this volume is on the unit's own array")
    return _wait_or_give_up(facts, f"more than one volume could be the root: {nodes}")


def _not_on_data_disk(volume: Volume) -> str:
    return f"{volume.node} is not on a data disk of the platform"


def _wait_or_give_up(facts: BootFacts, reason: str) -> Decision:
    """Wait for further devices until the root deadline, then give up."""
    if facts.elapsed < facts.arguments.root_deadline:
        return KeepWaiting(reason, facts.arguments.root_deadline)
    return GiveUp(reason)


def _restore(facts: BootFacts, reason: RestoreReason, evidence: str) -> Restore:
    return Restore(reason, evidence, facts.arguments.preferred_image)


def _next_attempt_time(facts: BootFacts) -> float:
    return min(facts.elapsed + RETRY_SECONDS, facts.arguments.root_deadline)
