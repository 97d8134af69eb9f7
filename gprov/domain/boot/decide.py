"""The boot decision of the normal kernel: a pure function from boot facts to one decision.

The flow collects facts, calls ``decide``, carries out the decision (wait, mount, check, survey the targets) and calls
``decide`` again with updated facts, until the decision is final. This module keeps no state.

A restore wipes PRIMARY, so it requires positive evidence (table of all cases: docs/explanation/booting.md). Missing or
failing devices are waited for, checked and reported; at the deadline the boot is given up with a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.domain.boot.args import EraseMode
from gprov.domain.boot.decisions import (
    Decision,
    Erase,
    FollowEraseRecord,
    GiveUp,
    KeepWaiting,
    OpenMenu,
    OpenShell,
    RestoreReason,
    ShowEraseFailure,
    StartArray,
    SurveyTargets,
    SwitchRoot,
    UseVolume,
    restore_with,
)
from gprov.domain.boot.facts import Ambiguous, BootFacts, Flag, Found, Mounted, MountFailed, NotFound
from gprov.domain.disk.model import Volume
from gprov.domain.disk.targets import removable_reason

if TYPE_CHECKING:  # most units have no array: a normal boot should not import them
    from gprov.domain.disk.arrays import FoundArray

# A display delays a start by no more than this.
DISPLAY_SECONDS = 1.0


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
        return restore_with(facts, RestoreReason.REQUESTED_BY_ARGUMENTS, "started without real_root and DATA_ERASE")
    if facts.key_pressed:
        return OpenMenu()
    return _decide_from_disks(facts)


def _decide_from_disks(facts: BootFacts) -> Decision:
    """Decision when neither arguments nor a key press determine it."""
    targets = facts.targets
    if isinstance(facts.root, NotFound) and targets is not None and targets.without_root and not facts.erase_followed:
        return FollowEraseRecord()
    if isinstance(facts.root, NotFound) and targets is not None and targets.unused and not facts.emergency_files:
        return _search_media(facts) or restore_with(facts, RestoreReason.DISKS_UNUSED, targets.describe())
    if facts.operator_present and facts.elapsed < facts.arguments.key_window:
        return KeepWaiting("a key may be pressed", facts.arguments.key_window)
    if facts.emergency_files:
        return _decide_with_emergency_files(facts)
    return _decide_by_evidence(facts)


def _decide_with_emergency_files(facts: BootFacts) -> Decision:
    """Restore, as soon as it is known that the system on PRIMARY was not restored with these files already: the stick
    may be forgotten in the unit. Without a root that can be read, the decision is that of a boot without these files
    as long as that one waits or finds out more."""
    restore = restore_with(facts, RestoreReason.EMERGENCY_FILE, ", ".join(facts.emergency_files))
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
    """What a normal boot does not need is imported when it is needed."""
    if facts.arguments.loader_fallback:
        from gprov.domain.boot.decide_root import without_boot_files

        if found := without_boot_files(facts):
            return found
    match facts.root:
        case NotFound(arrays):
            from gprov.domain.boot.decide_arrays import start_degraded_array
            from gprov.domain.boot.decide_root import decide_root_missing

            return start_degraded_array(facts, arrays) or decide_root_missing(facts, arrays)
        case Ambiguous(volumes):
            from gprov.domain.boot.decide_root import decide_root_ambiguous

            return decide_root_ambiguous(facts, volumes)
        case Found(volume, mount, arrays):
            return _wait_for_own_array(facts, volume, arrays) or _decide_root_found(facts, volume, mount)


def _wait_for_own_array(facts: BootFacts, volume: Volume, arrays: tuple[FoundArray, ...]) -> Decision | None:
    if not arrays:
        return None
    from gprov.domain.boot.decide_arrays import wait_for_own_array

    return wait_for_own_array(facts, volume, arrays)


def _decide_root_found(facts: BootFacts, volume: Volume, mount: Mounted | MountFailed) -> Decision:
    if not removable_reason(volume.disk) and isinstance(mount, Mounted) and mount.flag is Flag.PRESENT:
        return _decide_root_usable(facts, volume, mount)
    from gprov.domain.boot.decide_root import decide_root_unusable

    return decide_root_unusable(facts, volume, mount)


def _decide_root_usable(facts: BootFacts, volume: Volume, mounted: Mounted) -> Decision:
    if mounted.switch_error:
        return GiveUp(f"cannot start the system on {volume.node}: {mounted.switch_error}")
    if waiting := _wait_for_display(facts, mounted) or _search_media(facts):
        return waiting
    if mounted.request is not None and not facts.request_settled:
        from gprov.domain.boot.decide_request import decide_request

        return decide_request(facts, volume, mounted.request)
    return SwitchRoot(volume)


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
