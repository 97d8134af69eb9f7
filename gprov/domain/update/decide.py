"""What the agent does next with the action of the server: pure decisions about the stored state and what is observed.

An action goes DOWNLOAD → READY → REQUESTED → ENDED, or from any of them to ENDED. Each transition is stored before the
next step begins, and each step can be repeated: the power may be cut between any two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gprov.domain.image.name import SUFFIX
from gprov.domain.update.config import Confirmation, ForcedUpdates, UpdateConfig
from gprov.domain.update.messages import Deployment, Handling, UnreadableDeployment
from gprov.domain.update.state import Phase, Result, UpdateState
from gprov.domain.update.window import LocalMinute, describe_windows, is_allowed, minutes_until

# Seconds that a restored system has to report that it is up.
CONFIRM_SECONDS = 1800.0
CANCELED = "canceled: the unit keeps its system"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSystem:
    """``image``: file name of the image of the running system, "" if that is not known. ``boot``: id of this start.
    ``confirmed``: the system has reported that it is up, or does not report that. ``seconds``: since this start.
    ``pending``: the image that a request for the next start names, "" for none. ``tried``: how often restores have
    tried the action's image. ``reasons``: what the unit's records say of it, and of the last restore."""

    image: str
    boot: str
    confirmed: bool
    seconds: float
    pending: str = ""
    tried: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Begin:
    """A new action: forget what was left of the one before."""

    state: UpdateState


@dataclass(frozen=True, slots=True)
class AnswerAgain:
    """The server offers an action that has ended: it did not store the answer."""


@dataclass(frozen=True, slots=True)
class Download:
    """Fetch the image, or what is missing of it, and verify it."""


@dataclass(frozen=True, slots=True)
class RequestRestore:
    """Have the next start restore the image."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until something changes. ``reason``: for the server and for people at the unit. ``most``: seconds
    after which there is something to do, whatever the server says; None if that is not known."""

    reason: str
    most: float | None = None


@dataclass(frozen=True, slots=True)
class RestartAgain:
    """The restore is requested and allowed now, and the unit has not restarted yet: that could not be begun, or a
    service of the system holds it up. ``reason``: as in ``Wait``."""

    reason: str


Step = Begin | AnswerAgain | Download | RequestRestore | RestartAgain | Wait


@dataclass(frozen=True, slots=True)
class Permission:
    """What the owner of the unit allows. ``agreed``: a person at the unit has confirmed the action. ``is_set``: False
    if the clock is wrong, so that ``now`` is no time of a window."""

    config: UpdateConfig
    now: LocalMinute
    agreed: bool = False
    is_set: bool = True


def settled(state: UpdateState, system: RunningSystem) -> UpdateState:
    """After a start: the end of an action whose restore was requested, if that is known by now."""
    if state.phase not in (Phase.READY, Phase.REQUESTED) or system.boot == state.boot:
        return state
    if system.image == state.image:
        return _confirmed(state, system)
    if state.phase is Phase.REQUESTED and state.cancel:
        return state.ended(Result.CANCELED, CANCELED)
    if state.phase is Phase.REQUESTED:
        return state.ended(Result.FAILURE, _not_restored(state, system), *system.reasons)
    if system.tried > state.tried:
        # The power was cut after the request was written, and before that was recorded.
        return state.ended(Result.FAILURE, _not_restored(state, system), *system.reasons)
    return state


def next_step(
    state: UpdateState | None, deployment: Deployment | UnreadableDeployment, permission: Permission, running: str
) -> Step:
    """``running``: file name of the image of the running system. ``state`` is settled."""
    if state is None or (state.action, state.identity) != (deployment.action, deployment.identity):
        if state is not None and state.phase is Phase.REQUESTED:
            reason = f"the restart into {_stem(state.image)}, which action {state.action} requested"
            return RestartAgain(reason) if _is_time(permission) else Wait(reason, _until_time(permission))
        begun = UpdateState(
            action=deployment.action, identity=deployment.identity, phase=Phase.DOWNLOAD, previous=running
        )
        if isinstance(deployment, UnreadableDeployment):
            return Begin(begun.ended(Result.FAILURE, *deployment.problems))
        return Begin(begun)
    if isinstance(deployment, UnreadableDeployment):
        return AnswerAgain()
    match state.phase:
        case Phase.ENDED:
            return AnswerAgain()
        case Phase.REQUESTED:
            return _when_requested(deployment, permission)
        case Phase.DOWNLOAD if deployment.download is Handling.SKIP:
            return Wait("the server's leave to download")
        case Phase.DOWNLOAD:
            return Download()
        case Phase.READY:
            return _when_ready(deployment, permission)


def requested(state: UpdateState, boot: str) -> UpdateState:
    """The restore is requested in the start with the id ``boot``."""
    return replace(state, phase=Phase.REQUESTED, boot=boot)


def _when_ready(deployment: Deployment, permission: Permission) -> Step:
    config = permission.config
    if deployment.update is Handling.SKIP:
        return Wait("the server's leave to install")
    if not deployment.maintenance:
        return Wait("the server's maintenance window")
    if config.confirm is Confirmation.OWNER and not permission.agreed:
        return Wait(f"the owner: gprov-update confirm {deployment.action}")
    at_once = deployment.update is Handling.FORCED and config.forced is ForcedUpdates.AT_ONCE
    if at_once or _is_time(permission):
        return RequestRestore()
    allowed = describe_windows(config.windows)
    if not permission.is_set:
        reason = f"the clock of the unit to be set: it is before the date of the installed image ({allowed})"
    else:
        reason = f"the time that the owner allows: {allowed}"
    return Wait(reason, _until_time(permission))


def _when_requested(deployment: Deployment, permission: Permission) -> Step:
    """What would not be requested now is not restarted for now."""
    reason = "the restart of the unit"
    allowed = _when_ready(deployment, permission)
    return Wait(reason, allowed.most) if isinstance(allowed, Wait) else RestartAgain(reason)


def _is_time(permission: Permission) -> bool:
    """Of a window of the owner, if there are any."""
    windows = permission.config.windows
    return not windows or (permission.is_set and is_allowed(windows, permission.now))


def _until_time(permission: Permission) -> float:
    """Seconds until there is something to do, while no window is open."""
    return 60.0 * minutes_until(permission.config.windows, permission.now) if permission.is_set else 60.0


def _confirmed(state: UpdateState, system: RunningSystem) -> UpdateState:
    if system.confirmed:
        return state.ended(Result.SUCCESS, f"{_stem(state.image)} was restored, and its system is up")
    if system.seconds < CONFIRM_SECONDS:
        return state
    minutes = CONFIRM_SECONDS / 60
    text = f"{_stem(state.image)} was restored and started, and has not reported within {minutes:g} min that it is up"
    return state.ended(Result.FAILURE, text, *system.reasons)


def _not_restored(state: UpdateState, system: RunningSystem) -> str:
    running = f"runs {_stem(system.image)}" if system.image else "runs a system whose image is not known"
    return f"{_stem(state.image)} was not restored: the unit {running}"


def _stem(image: str) -> str:
    return image.removesuffix(SUFFIX)


def reasons_of(notes: Sequence[str], last_restore: str) -> tuple[str, ...]:
    """From the image history and the start budget: the newest first, each once."""
    return tuple(dict.fromkeys(text for text in (last_restore, *reversed(notes[-3:])) if text))
