"""Decisions while the root cannot be started: it is missing, ambiguous, damaged, or without its flag file.

Evidence for a restore, further waiting, or the end of this start (``gprov.domain.boot.decide``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.domain.boot.decisions import (
    CheckFileSystem,
    Decision,
    GiveUp,
    KeepWaiting,
    RestoreReason,
    SurveyTargets,
    UseVolume,
    restore_with,
    wait_or_give_up,
)
from gprov.domain.boot.facts import BootFacts, CheckOutcome, Flag, Found, Mounted, MountFailed
from gprov.domain.boot.survey import TargetSurvey
from gprov.domain.disk.model import KNOWN_KINDS, Volume
from gprov.domain.disk.targets import removable_reason

if TYPE_CHECKING:  # most units have no array: a normal boot should not import them
    from gprov.domain.disk.arrays import FoundArray

# Before this time a missing root volume is not acted upon: the kernel is still detecting devices.
MIN_SEARCH_SECONDS = 3.0
# Pause between two attempts to mount the root volume.
RETRY_SECONDS = 5.0
MOUNT_ATTEMPTS = 3
# File-system checks per boot. The limit ends the loop if a defective disk reports another identity at each scan.
MAX_CHECKS = 8


def decide_root_unusable(facts: BootFacts, volume: Volume, mount: Mounted | MountFailed) -> Decision:
    """The volume is on a removable disk, or does not mount, or its flag file is absent or unreadable."""
    if facts.targets is None:
        return SurveyTargets()
    if outside := removable_reason(volume.disk):
        return wait_or_give_up(facts, f"{_not_on_data_disk(volume)}: it {outside}")
    match mount:
        case MountFailed(error, attempts):
            return _decide_mount_failed(facts, facts.targets, volume, error, attempts)
        case Mounted(Flag.ABSENT):
            seen = f"{volume.node} is mounted and has no flag file"
            return _restore_if_own_primary(facts, facts.targets, volume, RestoreReason.FLAG_MISSING, seen)
        case Mounted():
            return _decide_mount_failed(facts, facts.targets, volume, "its flag file cannot be read", MOUNT_ATTEMPTS)


def without_boot_files(facts: BootFacts) -> Decision | None:
    """Decision after a fallback boot by the BIOS boot loader: restore if the boot files are missing on all data disks,
    since the loader cannot start the system then. None if they exist (the loader missed a slow disk)."""
    if facts.targets is None:
        return SurveyTargets() if isinstance(facts.root, Found) else None
    if not facts.targets.without_boot_files:
        return None
    return restore_with(facts, RestoreReason.BOOT_FILES_MISSING, facts.targets.describe())


def _decide_mount_failed(
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
        return wait_or_give_up(facts, f"{seen}, but {_not_on_data_disk(volume)}; {targets.describe()}")
    if not targets.complete:
        return wait_or_give_up(facts, f"{seen}, but {targets.describe()}")
    if others := targets.other_data_disks(volume):
        texts = ", ".join(target.describe() for target in others)
        how = (
            "remove disks that are not the unit's, or start a factory restore from the boot menu to discard their data"
        )
        return wait_or_give_up(facts, f"{seen}, but a restore would also wipe {texts}; {how}")
    return restore_with(facts, reason, seen)


def decide_root_missing(facts: BootFacts, arrays: tuple[FoundArray, ...]) -> Decision:
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
        if targets.has_foreign_data:
            how = "to discard the data on these disks, start a factory restore from the boot menu"
        else:
            how = "check cables and power of the disks"
        return GiveUp(f"root volume not found; {seen}; {how}")
    if targets.probable_primary is not None:
        outcome = facts.checks.get(targets.probable_primary.stable_id)
        if _check_due(facts, targets.probable_primary):
            return CheckFileSystem(targets.probable_primary, "probably PRIMARY with a damaged superblock")
        if outcome is not CheckOutcome.BEYOND_REPAIR:
            result = outcome.value if outcome is not None else "was on another disk at each check"
            return GiveUp(f"root volume not found; {targets.probable_primary.node}, probably PRIMARY, {result}")
    return restore_with(facts, RestoreReason.FILE_SYSTEM_ABSENT, seen)


def decide_root_ambiguous(facts: BootFacts, volumes: tuple[Volume, ...]) -> Decision:
    nodes = ", ".join(volume.node for volume in volumes)
    if facts.targets is None:
        return SurveyTargets()
    own = [volume for volume in volumes if facts.targets.contains(volume)]
    if len(own) == 1:
        return UseVolume(own[0], f"of {nodes} only this volume is on a data disk of the platform")
    own = [volume for volume in own if volume.array in facts.targets.own_arrays]
    if len(own) == 1:
        return UseVolume(own[0], f"of {nodes} only this volume is on the unit's own array")
    return wait_or_give_up(facts, f"more than one volume could be the root: {nodes}")


def _not_on_data_disk(volume: Volume) -> str:
    return f"{volume.node} is not on a data disk of the platform"


def _next_attempt_time(facts: BootFacts) -> float:
    return min(facts.elapsed + RETRY_SECONDS, facts.arguments.root_deadline)
