"""NVMe Format NVM with secure erase of user data (SES=1) or by cryptographic erase (SES=2).

The drive keeps no record of what a format erased. What is verified here: the controller states that it supports the
setting (FNA, for SES=2), the command completed with success, no format is in progress afterwards, and LBA format,
metadata settings and size are as before. (A drive without a format progress indicator only states the success.) A drive
that ignores the setting looks the same; the canaries and the comparison of former content detect it.

A setting that the drive refuses is never replaced by another one.
"""

from __future__ import annotations

from gprov.domain.erase.drive_io import NvmeReply, Protocol
from gprov.domain.erase.nvme.facts import DriveFacts, gather
from gprov.domain.erase.nvme.reasons import FORMAT_SETTINGS, reason_against
from gprov.domain.erase.nvme.requests import (
    Unanswered,
    format_namespace,
    pause,
    read_namespace,
    sanitize,
    send,
)
from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.nvme.commands import FormatParameters, SanitizeAction, SanitizeParameters
from gprov.domain.formats.nvme.namespace import Namespace
from gprov.domain.formats.nvme.sanitize_log import SanitizeLog, SanitizeState
from gprov.domain.formats.nvme.status import Status, describe_status

_DELAY = 5.0
_MAX_READINGS = 10_000
_MAX_MISSES = 10
# With these the drive has not begun. Other errors may come from the middle of a format.
_NOT_BEGUN = frozenset(
    {
        Status.INVALID_OPCODE,
        Status.INVALID_FIELD,
        Status.INVALID_NAMESPACE,
        Status.SEQUENCE_ERROR,
        Status.OPERATION_DENIED,
        Status.SANITIZE_FAILED,
        Status.SANITIZE_IN_PROGRESS,
        Status.WRITE_PROTECTED,
        Status.LOCKED_DOWN,
        Status.RESERVATION_CONFLICT,
        Status.INVALID_FORMAT,
    }
)


def erase_by_format(technique: Technique, number: int, in_scope: frozenset[int]) -> Protocol[TechniqueResult]:
    facts = yield from gather(number, in_scope)
    if isinstance(facts, Unanswered):
        return TechniqueResult(technique, TechniqueStatus.REFUSED, facts.reason)
    reason = reason_against(technique, facts)
    if reason:
        return TechniqueResult(technique, TechniqueStatus.REFUSED, reason)
    reply = yield from _formatted(technique, facts)
    if isinstance(reply, Unanswered):
        return TechniqueResult(technique, TechniqueStatus.FAILED, f"no reply to Format NVM: {reply.reason}")
    if reply.status:
        begun = reply.status not in _NOT_BEGUN
        status = TechniqueStatus.FAILED if begun else TechniqueStatus.REFUSED
        return TechniqueResult(technique, status, f"Format NVM: {describe_status(reply.status)}")
    problem = yield from _problem_after(number, facts.namespace)
    if problem:
        return TechniqueResult(technique, TechniqueStatus.FAILED, f"Format NVM completed, but {problem}")
    setting = FORMAT_SETTINGS[technique].value
    progress = "no format is in progress" if facts.namespace.reports_format else "the drive states no format progress"
    detail = f"Format NVM with SES={setting} completed successfully; {progress}; settings and size are as before"
    return TechniqueResult(technique, TechniqueStatus.COMPLETED, detail)


def _formatted(technique: Technique, facts: DriveFacts) -> Protocol[NvmeReply | Unanswered]:
    """Send Format NVM with the present settings of the namespace. If the drive aborts it since it is in the failure
    mode of an unrestricted sanitize operation (the only one with an exit), leave that mode and send it once more."""
    now = facts.namespace
    parameters = FormatParameters(
        erase=FORMAT_SETTINGS[technique],
        format_index=now.format_index,
        metadata_extended=now.metadata_extended,
        protection=now.protection,
        protection_first=now.protection_first,
    )
    command = format_namespace(facts.number, parameters)
    reply = yield from send(command)
    if isinstance(reply, Unanswered) or reply.status != Status.SANITIZE_FAILED or not _can_exit_failure(facts):
        return reply
    left = yield from send(sanitize(SanitizeParameters(SanitizeAction.EXIT_FAILURE_MODE)))
    if isinstance(left, Unanswered) or left.status:
        return reply
    return (yield from send(command))


def _can_exit_failure(facts: DriveFacts) -> bool:
    log = facts.log
    if not isinstance(log, SanitizeLog) or log.state is not SanitizeState.FAILED:
        return False
    return log.parameters is not None and log.parameters.unrestricted


def _problem_after(number: int, before: Namespace) -> Protocol[str]:
    """ "" if the namespace reports that no format is in progress and that its settings are the same."""
    misses, problem = 0, ""
    for _ in range(_MAX_READINGS):
        now = yield from read_namespace(number)
        if isinstance(now, Unanswered):
            misses += 1
            problem, done = now.reason, None
        elif now.percent_to_format:
            misses = 0
            problem = f"{now.percent_to_format} % remain to be formatted"
            done = max(0.0, 1 - now.percent_to_format / 100)
        else:
            return _difference(before, now)
        if misses >= _MAX_MISSES:
            return problem
        if (yield from pause(_DELAY, done)):
            return f"time limit: {problem}"
    return problem


def _difference(before: Namespace, now: Namespace) -> str:
    if (now.flbas, now.dps) != (before.flbas, before.dps):
        return "the drive changed the LBA format or the metadata settings"
    if now.size != before.size:
        return f"the size of the namespace changed from {before.size} to {now.size} bytes"
    return ""
