"""The decision about a request of the running system (``gprov.domain.boot.boot_request``). Most boots have none."""

from __future__ import annotations

from gprov.domain.boot.boot_request import (
    MAX_TRIES,
    BootRequest,
    EraseRequested,
    RestoreRequested,
    UnreadableRequest,
)
from gprov.domain.boot.decisions import Decision, Erase, Restore, RestoreReason, SurveyTargets, WithdrawRequest
from gprov.domain.boot.facts import BootFacts
from gprov.domain.boot.survey import TargetSurvey
from gprov.domain.disk.model import Volume


def decide_request(facts: BootFacts, volume: Volume, request: BootRequest | UnreadableRequest) -> Decision:
    """``volume``: the root, which holds the request and its flag file: whatever speaks against the request, the system
    can start."""
    if isinstance(request, UnreadableRequest):
        return WithdrawRequest(volume, request.reason)
    if request.tries >= MAX_TRIES:
        return WithdrawRequest(volume, f"{request.tries} starts have begun to act on it")
    if facts.targets is None:
        return SurveyTargets()
    if problem := _problem(facts.targets, volume, request):
        return WithdrawRequest(volume, problem)
    match request:
        case RestoreRequested(image=image, named=named):
            evidence = f"{volume.node} holds the request for unit {request.serial}"
            return Restore(RestoreReason.REQUESTED_BY_SYSTEM, evidence, image, named)
        case EraseRequested():
            return Erase(request=request)


def _problem(targets: TargetSurvey, volume: Volume, request: BootRequest) -> str:
    """Why the request is not this unit's, or cannot be met."""
    if targets.serial != request.serial:
        known = f"that of unit {targets.serial}" if targets.serial else "not known"
        return f"it is for unit {request.serial}, but the serial number of this machine is {known}"
    if not targets.contains(volume):
        return f"{volume.node} is not on a data disk of the platform"
    if isinstance(request, EraseRequested):
        return ""
    if not targets.complete:
        return targets.describe()
    others = targets.other_data_disks(volume)
    return f"a restore would also wipe {', '.join(target.describe() for target in others)}" if others else ""
