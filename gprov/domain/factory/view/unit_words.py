"""What is said about a unit, from what it reported and how long ago.

A word claims what is known and no more: a unit that is silent has not failed, and one that was provisioned has not been
restored. All times are UTC, ns, by the server's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from gprov.domain.events import ProcessState
from gprov.domain.factory.states import FAILED, SUCCEEDED, Flow, flow_of
from gprov.domain.factory.view.time_words import coarse_text, duration_text

_MINUTE = 60 * 10**9


class UnitWord(Enum):
    """The values are shown, and stand in exports. In the order in which they need a person."""

    FAILED = "failed"
    ABORTED = "aborted"
    SILENT = "no report"
    PROVISIONED = "provisioned"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    RUNNING = "running"
    RESTORED = "restored"
    STARTED = "started"

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    UnitWord.FAILED: "The unit reported that provisioning, restore or start failed.",
    UnitWord.ABORTED: "A person, a setting or a time limit ended the run: it says nothing about the unit.",
    UnitWord.SILENT: "The unit was at work, and nothing was heard of it for a while. It may still be at work.",
    UnitWord.PROVISIONED: "Provisioning succeeded, and no restore was reported in time: its QA document is discarded.",
    UnitWord.UNKNOWN: "The unit has reported something, but no state.",
    UnitWord.WAITING: "Provisioning succeeded a moment ago; the first restore has not begun.",
    UnitWord.RUNNING: "The unit is at work and reports.",
    UnitWord.RESTORED: "A restore succeeded.",
    UnitWord.STARTED: "The unit's system has started.",
}
# By the last state of provisioning.
_RESTORED = {
    ProcessState.MFG_SUCCEEDED: "Provisioned and restored",
    ProcessState.MFG_FAILED: "Restored, although its last provisioning failed",
    ProcessState.MFG_STARTED: "Restored, although its last provisioning has not ended",
}
# Words of units that a person has to look at.
NEEDS_PERSON = frozenset({UnitWord.FAILED, UnitWord.ABORTED, UnitWord.SILENT, UnitWord.PROVISIONED})


@dataclass(frozen=True, slots=True)
class Patience:
    """``silent_ns``: how long a unit that is at work may send nothing. ``restore_ns``: how long after a provisioning
    its first restore may begin: as long as QA documents are held."""

    silent_ns: int = 10 * _MINUTE
    restore_ns: int = 20 * _MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What is known of a unit. ``provisioning``: its last MFG state. ``aborted``: the failure was no fault of the unit
    (``known_failures``)."""

    state: ProcessState
    state_ns: int
    last_seen_ns: int
    provisioning: ProcessState = ProcessState.UNKNOWN
    aborted: bool = False


def word_of(unit: Reported, now_ns: int, patience: Patience) -> UnitWord:
    state = unit.state
    if state in FAILED:
        return UnitWord.ABORTED if unit.aborted else UnitWord.FAILED
    if state in SUCCEEDED:
        return _success_word(unit, now_ns, patience)
    if flow_of(state) is None:
        return UnitWord.UNKNOWN
    return UnitWord.SILENT if now_ns - unit.last_seen_ns > patience.silent_ns else UnitWord.RUNNING


def _success_word(unit: Reported, now_ns: int, patience: Patience) -> UnitWord:
    match flow_of(unit.state):
        case Flow.MFG:
            return UnitWord.PROVISIONED if now_ns - unit.state_ns > patience.restore_ns else UnitWord.WAITING
        case Flow.INIT:
            return UnitWord.STARTED
        case _:
            return UnitWord.RESTORED


def sentence_of(unit: Reported, now_ns: int, patience: Patience) -> str:
    """What is happening, in one line; of failures without the reason."""
    flow = flow_name(unit.state)
    match word_of(unit, now_ns, patience):
        case UnitWord.FAILED:
            return f"{flow} failed"
        case UnitWord.ABORTED:
            return f"{flow} was aborted"
        case UnitWord.SILENT:
            return f"{flow} began; no report for {coarse_text(now_ns - unit.last_seen_ns)}"
        case UnitWord.PROVISIONED:
            return f"Provisioned; no first restore was reported within {duration_text(patience.restore_ns)}"
        case UnitWord.UNKNOWN:
            return "Reports, but has not reported a state"
        case UnitWord.WAITING:
            return "Provisioned; waiting for the first restore"
        case UnitWord.RUNNING:
            return f"{flow} is running"
        case UnitWord.RESTORED:
            return _RESTORED.get(unit.provisioning, "Restore succeeded")
        case UnitWord.STARTED:
            return "Its system has started"
        case never:
            assert_never(never)


def flow_name(state: ProcessState) -> str:
    match flow_of(state):
        case Flow.MFG:
            return "Provisioning"
        case Flow.FR:
            return "Restore"
        case Flow.INIT:
            return "Start"
        case None:
            return "Unknown"
        case never:
            assert_never(never)
