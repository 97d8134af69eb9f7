"""NVMe Sanitize: start it, follow it to its end, and judge what the drive reports.

The drive carries out a sanitize operation in the background, and continues it after a reset or a power cycle. The
sanitize status log describes the most recent operation but does not count operations: after two operations of the same
kind it reads the same. So a completed operation counts only with evidence that it is the one that was begun:
- the log was seen to state that this operation is in progress, or
- the log differs from the one before the command: another status, another command dword, or Global Data Erased is now
  set and was not. (The canaries that are written before an erase clear Global Data Erased.)

Blocks are deallocated afterwards (NODAS is 0): what is read back then shows that former content cannot be read through
the interface. That the flash itself was erased rests on the drive's report.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.nvme.facts import gather
from gprov.domain.erase.nvme.reasons import SANITIZE_ACTIONS, failure_mode, reason_against
from gprov.domain.erase.nvme.report import operation_in_progress
from gprov.domain.erase.nvme.requests import Unanswered, pause, read_sanitize_log, sanitize, send
from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.nvme.commands import SanitizeParameters, sanitize_dword10
from gprov.domain.formats.nvme.sanitize_log import NOT_IN_PROGRESS, SanitizeLog, SanitizeState
from gprov.domain.formats.nvme.status import describe_status, is_host_made

# The specification asks hosts to read the log rarely, since that can delay the operation.
_FIRST_DELAY, _DELAY_FACTOR, _MAX_DELAY = 0.5, 1.5, 60.0
# Readings in a row that give no usable log, or one from before the command.
_MAX_MISSES = 10
# Two weeks at the longest delay; the time limit of the technique ends the wait long before.
_MAX_READINGS = 20_000
_COMPLETED, _FAILED = TechniqueStatus.COMPLETED, TechniqueStatus.FAILED


@dataclass(frozen=True, slots=True)
class _Miss:
    """A reading that decides nothing."""

    reason: str


_Judgement = tuple[TechniqueStatus, str] | _Miss


def erase_by_sanitize(technique: Technique, number: int, in_scope: frozenset[int]) -> Protocol[TechniqueResult]:
    """Restricted completion mode (AUSE is 0), which both failure modes of an earlier operation permit."""
    facts = yield from gather(number, in_scope)
    if isinstance(facts, Unanswered):
        return TechniqueResult(technique, TechniqueStatus.REFUSED, facts.reason)
    reason = reason_against(technique, facts)
    if reason or not isinstance(facts.log, SanitizeLog):
        return TechniqueResult(technique, TechniqueStatus.REFUSED, reason or "the drive has no sanitize status log")
    before = facts.log
    parameters = SanitizeParameters(SANITIZE_ACTIONS[technique])
    reply = yield from send(sanitize(parameters))
    if not isinstance(reply, Unanswered) and reply.status and not is_host_made(reply.status):
        return (yield from _rejected(technique, before, describe_status(reply.status)))
    trouble = ""
    if isinstance(reply, Unanswered):
        trouble = f"no reply to the Sanitize command: {reply.reason}"
    elif reply.status:
        trouble = f"Sanitize command: {describe_status(reply.status)}"
    return (yield from _followed(technique, _Watch(sanitize_dword10(parameters), before), trouble))


def resume_sanitize(technique: Technique, before: SanitizeLog | None) -> Protocol[TechniqueResult]:
    """Follow an operation that began before a restart. ``before``: the log before its command, if it was kept: without
    it, an operation that has ended meanwhile cannot be told from an earlier one, and the result is REFUSED: a technique
    has to start anew."""
    log = yield from read_sanitize_log()
    if isinstance(log, Unanswered):
        return TechniqueResult(technique, _FAILED, f"after the restart: {log.reason}")
    if operation_in_progress(log) is technique:
        # Another program may have begun it, with other flags.
        return (yield from _followed(technique, _Watch(log.scdw10, before, began=True), ""))
    if log.state is SanitizeState.IN_PROGRESS:
        return TechniqueResult(technique, _FAILED, "the drive carries out another sanitize operation")
    if before is None:
        detail = f"no operation is in progress after the restart, and it is unknown which one ended: {_describe(log)}"
        return TechniqueResult(technique, TechniqueStatus.REFUSED, detail)
    dword = sanitize_dword10(SanitizeParameters(SANITIZE_ACTIONS[technique]))
    return (yield from _followed(technique, _Watch(dword, before), ""))


class _Watch:
    """Judges readings of the log. ``dword``: dword 10 of the command. ``before``: the log before it. ``began``: the
    operation was seen in progress."""

    def __init__(self, dword: int, before: SanitizeLog | None, *, began: bool = False) -> None:
        self._dword = dword
        self._before = before
        self._began = began

    def judge(self, log: SanitizeLog) -> _Judgement | None:
        """None while the operation is in progress."""
        if log.state is SanitizeState.IN_PROGRESS:
            self._began = self._began or log.scdw10 == self._dword
            return None
        if not (self._began or self._changed(log)):
            return _Miss(f"the log is as it was before the command: {_describe(log)}")
        if log.state is SanitizeState.FAILED:
            return _FAILED, f"{_describe(log)}: {failure_mode(log)}"
        if log.state is SanitizeState.NEVER or log.scdw10 != self._dword or not _ended_well(log):
            return _Miss(f"the log contradicts the command: {_describe(log)}")
        return _COMPLETED, _describe(log)

    def _changed(self, log: SanitizeLog) -> bool:
        before = self._before
        if before is None:
            return False
        erased = log.data_erased and not before.data_erased
        return log.state is not before.state or log.scdw10 != before.scdw10 or erased


def _followed(technique: Technique, watch: _Watch, trouble: str) -> Protocol[TechniqueResult]:
    misses, delay, last = 0, _FIRST_DELAY, trouble
    for _ in range(_MAX_READINGS):
        log = yield from read_sanitize_log()
        judgement = _Miss(log.reason) if isinstance(log, Unanswered) else watch.judge(log)
        if isinstance(judgement, tuple):
            return TechniqueResult(technique, *judgement)
        misses = misses + 1 if judgement is not None else 0
        last = judgement.reason if judgement is not None else "the operation is still in progress"
        if misses >= _MAX_MISSES:
            break
        done = log.progress if isinstance(log, SanitizeLog) and log.state is SanitizeState.IN_PROGRESS else None
        if (yield from pause(delay, done)):
            last = f"time limit: {last}"
            break
        delay = min(delay * _DELAY_FACTOR, _MAX_DELAY)
    return TechniqueResult(technique, _FAILED, "; ".join(part for part in (trouble, last) if part))


def _rejected(technique: Technique, before: SanitizeLog, status: str) -> Protocol[TechniqueResult]:
    """By the specification the drive then has not begun, and its log is unchanged. REFUSED only if that is so."""
    log = yield from read_sanitize_log()
    if isinstance(log, Unanswered):
        return TechniqueResult(technique, _FAILED, f"Sanitize command: {status}; then {log.reason}")
    if (log.state, log.scdw10) != (before.state, before.scdw10):
        return TechniqueResult(technique, _FAILED, f"Sanitize command: {status}; but now {_describe(log)}")
    return TechniqueResult(technique, TechniqueStatus.REFUSED, f"Sanitize command: {status}")


def _ended_well(log: SanitizeLog) -> bool:
    if log.sprog != NOT_IN_PROGRESS:
        return False
    if log.state is SanitizeState.SUCCEEDED_DEALLOCATED:
        return log.parameters is not None and log.parameters.keep_allocated
    return log.state is SanitizeState.SUCCEEDED


def _describe(log: SanitizeLog) -> str:
    """The drive's report, for the certificate."""
    state = log.state.name.lower().replace("_", " ")
    erased = "set" if log.data_erased else "not set"
    return (
        f"sanitize status log: {state}, progress 0x{log.sprog:04X}, command 0x{log.scdw10:08X}, "
        f"Global Data Erased {erased}"
    )
