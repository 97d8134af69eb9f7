"""Waiting for the end of an operation that a drive carries out by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.outcome import TechniqueResult
from gprov.domain.erase.scsi.exchange import pause
from gprov.domain.erase.scsi.results import completed, failed
from gprov.domain.erase.techniques import Technique

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_GROWTH = 1.5
# About a week; the time limit of the technique is usually shorter.
_MOST_QUESTIONS = 20_000
# About eight minutes: a drive may need as long to answer again after a reset.
_MOST_SILENT = 20


class Stage(Enum):
    """RUNNING: in progress. ENDED: the drive reports an end without error. FAILED: it reports a failure. IDLE: neither
    in progress nor ended. SILENT: no usable reply."""

    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"
    IDLE = "idle"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Observation:
    """``done``: fraction, for RUNNING. ``detail``: the drive's report in words."""

    stage: Stage
    detail: str
    done: float | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """``last``: SILENT if the drive does not answer any more, RUNNING if the time limit has passed. ``seen_running``:
    the drive reported at least once that the operation was in progress."""

    last: Observation
    seen_running: bool


def watch(ask: Callable[[], Protocol[Observation]]) -> Protocol[Watched]:
    """Ask until the operation is not in progress any more."""
    seen_running, silent, seconds = False, 0, _FIRST_PAUSE
    last = Observation(Stage.SILENT, "not asked")
    for _ in range(_MOST_QUESTIONS):
        last = yield from ask()
        seen_running = seen_running or last.stage is Stage.RUNNING
        silent = silent + 1 if last.stage is Stage.SILENT else 0
        if last.stage not in (Stage.RUNNING, Stage.SILENT) or silent > _MOST_SILENT:
            break
        if (yield from pause(seconds, last.done)):
            break
        seconds = min(seconds * _GROWTH, _LONGEST_PAUSE)
    return Watched(last, seen_running)


def judged(technique: Technique, watched: Watched, *, started: bool) -> TechniqueResult:
    """``started``: the drive accepted the command, or was seen to carry it out."""
    last = watched.last
    match last.stage:
        case Stage.ENDED if started:
            return completed(technique, last.detail)
        case Stage.ENDED:
            return failed(technique, f"no sign that the operation began; {last.detail}, perhaps an earlier one")
        case Stage.RUNNING:
            return failed(technique, "the time limit has passed; the drive continues the sanitize operation")
        case Stage.FAILED | Stage.IDLE | Stage.SILENT:
            return failed(technique, last.detail)
