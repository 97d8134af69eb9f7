"""SCSI SANITIZE (SBC-4).

A sanitize operation continues after a reset or power cycle. Its end is not kept by the drive: what counts is that the
drive accepted the command, or reported the operation in progress, and then reports neither progress nor failure and is
ready.
"""

from __future__ import annotations

from collections.abc import Mapping

from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.outcome import TechniqueResult
from gprov.domain.erase.scsi.exchange import Answer, Outcome, send
from gprov.domain.erase.scsi.results import failed, refused
from gprov.domain.erase.scsi.watch import Observation, Stage, Watched, judged, watch
from gprov.domain.erase.techniques import Technique
from gprov.domain.errors import BadInput
from gprov.domain.formats.scsi.commands import (
    SENSE_SIZE,
    SanitizeAction,
    ScsiOpcode,
    overwrite_parameters,
    report_supported_operation_code,
    request_sense,
    sanitize,
    test_unit_ready,
)
from gprov.domain.formats.scsi.replies import SUPPORTED_CODE_SIZE, Support, parse_support
from gprov.domain.formats.scsi.sense import SANITIZE_FAILED, SANITIZE_IN_PROGRESS, Sense, SenseKey, parse_sense

ACTIONS: Mapping[Technique, SanitizeAction] = {
    Technique.SCSI_SANITIZE_CRYPTO: SanitizeAction.CRYPTOGRAPHIC_ERASE,
    Technique.SCSI_SANITIZE_BLOCK: SanitizeAction.BLOCK_ERASE,
    Technique.SCSI_SANITIZE_OVERWRITE: SanitizeAction.OVERWRITE,
}
_OVERWRITE_BYTE = 0x00


def support(technique: Technique) -> Protocol[str]:
    """Why a technique is not supported, "" if it is, as REPORT SUPPORTED OPERATION CODES states it."""
    cdb = report_supported_operation_code(ScsiOpcode.SANITIZE, ACTIONS[technique], SUPPORTED_CODE_SIZE)
    outcome = yield from send(cdb, SUPPORTED_CODE_SIZE)
    if outcome.answer is not Answer.DONE:
        return f"the drive does not state which commands it supports: {outcome.problem}"
    try:
        return "" if parse_support(outcome.data) is Support.SUPPORTED else "not supported"
    except BadInput as error:
        return str(error)


def scsi_sanitize(technique: Technique) -> Protocol[TechniqueResult]:
    if reason := (yield from support(technique)):
        return refused(technique, reason)
    before = yield from observe()
    if before.stage is Stage.RUNNING:
        return refused(technique, "a sanitize operation is in progress")
    if before.stage is Stage.SILENT:
        return refused(technique, before.detail)
    action = ACTIONS[technique]
    parameters = overwrite_parameters(_OVERWRITE_BYTE) if action is SanitizeAction.OVERWRITE else b""
    outcome = yield from send(sanitize(action, len(parameters)), data_out=parameters)
    if outcome.answer is Answer.REFUSED:
        after = yield from observe()
        if after.stage in (before.stage, Stage.ENDED):
            return refused(technique, f"SANITIZE: {outcome.problem}")
        return failed(technique, f"SANITIZE: {outcome.problem}; then: {after.detail}")
    watched = yield from _watched()
    return judged(technique, watched, started=watched.seen_running or outcome.answer is Answer.DONE)


def resume_scsi_sanitize(technique: Technique) -> Protocol[TechniqueResult]:
    """Wait for the end of an operation that is in progress, for example since before a restart. REFUSED if none is."""
    first = yield from observe()
    if first.stage is Stage.ENDED:
        return refused(technique, "no sanitize operation is in progress")
    watched = yield from _watched()
    return judged(technique, watched, started=first.stage is Stage.RUNNING or watched.seen_running)


def _watched() -> Protocol[Watched]:
    """Wait for the end. A failed operation keeps the medium inaccessible: the drive is made to leave that state, so
    that another technique can follow."""
    watched = yield from watch(observe)
    if watched.last.stage is Stage.FAILED:
        yield from send(sanitize(SanitizeAction.EXIT_FAILURE_MODE))
    return watched


def observe() -> Protocol[Observation]:
    """State of the sanitize operation. ENDED: the drive is ready, and reports neither progress nor failure."""
    outcome = yield from send(request_sense(), SENSE_SIZE)
    if outcome.answer is Answer.REFUSED and (outcome.sense is None or _from_sense(outcome.sense) is None):
        outcome = yield from send(request_sense(descriptors=False), SENSE_SIZE)
    if outcome.answer is not Answer.DONE:
        return _from_refused_sense(outcome)
    try:
        sense = parse_sense(outcome.data)
    except BadInput as error:
        return Observation(Stage.SILENT, f"REQUEST SENSE: {error}")
    if (observation := _from_sense(sense)) is not None:
        return observation
    ready = yield from send(test_unit_ready())
    if ready.answer is Answer.DONE:
        return Observation(Stage.ENDED, "the drive is ready and reports neither progress nor failure of a sanitize")
    if ready.sense is not None and (observation := _from_sense(ready.sense)) is not None:
        return observation
    return Observation(Stage.SILENT, f"TEST UNIT READY: {ready.problem}")


def _from_refused_sense(outcome: Outcome) -> Observation:
    if outcome.sense is not None and (observation := _from_sense(outcome.sense)) is not None:
        return observation
    return Observation(Stage.SILENT, f"REQUEST SENSE: {outcome.problem}")


def _from_sense(sense: Sense) -> Observation | None:
    if sense.key == SenseKey.NOT_READY and sense.code == SANITIZE_IN_PROGRESS:
        return Observation(Stage.RUNNING, "sanitize operation in progress", sense.progress)
    if sense.code == SANITIZE_FAILED:
        return Observation(Stage.FAILED, f"the drive reports that the sanitize operation failed ({sense.describe()})")
    return None
