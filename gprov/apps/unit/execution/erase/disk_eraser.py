"""The erase of one disk: techniques, best first, until one completed and was verified."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.unit.execution.erase.canary_check import CanaryCheck
from gprov.apps.unit.execution.erase.observer import ErasureObserver
from gprov.apps.unit.execution.erase.overwriting import overwrite_disk
from gprov.apps.unit.execution.erase.password_release import release_after_interruption
from gprov.apps.unit.execution.erase.ports import ErasurePorts
from gprov.apps.unit.execution.erase.read_back import read_back
from gprov.apps.unit.execution.erase.run_protocol import run_protocol
from gprov.domain.erase.ata.facts import SECURITY_TECHNIQUES
from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.extents import Extent, merged, total_size
from gprov.domain.erase.families import erase_protocol, resume_protocol
from gprov.domain.erase.outcome import (
    DiskOutcome,
    Pass,
    TechniqueResult,
    TechniqueStatus,
    Verdict,
    Verification,
    VerificationMethod,
)
from gprov.domain.erase.plan import DiskErasure
from gprov.domain.erase.record import DiskProgress
from gprov.domain.erase.request import scheme_passes
from gprov.domain.erase.techniques import TECHNIQUES, Level, Technique
from gprov.domain.erase.verification import verdict as verdict_on
from gprov.domain.errors import DeviceFault, EraseFailed
from gprov.domain.estimate import FRACTION
from gprov.ports.clock import Deadline

# Of a technique that the drive carries out; the largest drives state up to two days.
_TECHNIQUE_SECONDS = 7 * 86400.0


class DiskEraser:
    """Runs once. The techniques of ``erasure.remaining`` are tried in order."""

    def __init__(self, erasure: DiskErasure, ports: ErasurePorts, observer: ErasureObserver) -> None:
        self._erasure = erasure
        self._disk = erasure.disk
        self._ports = ports
        self._observer = observer
        self._progress = erasure.progress
        self._tried = erasure.progress.tried
        self._passes: tuple[Pass, ...] = ()
        self._errors: list[str] = []

    def run(self) -> DiskOutcome:
        started = self._ports.clock.now_ns()
        verification = Verification(method=VerificationMethod.NONE)
        achieved: TechniqueResult | None = None
        if not self._erasure.remaining:
            self._errors += [_why(one, verification, ()) for one in self._tried] or ["no technique can be used"]
        for technique in self._erasure.remaining:
            result, verification = self._try(technique)
            self._end(result, verification)
            achieved = result if result.status is TechniqueStatus.COMPLETED else None
            if achieved is not None and verification.passed:
                break
            passes = self._passes if technique is Technique.OVERWRITE else ()
            self._errors.append(_why(result, verification, passes))
        return self._outcome(achieved, verification, started)

    def _try(self, technique: Technique) -> tuple[TechniqueResult, Verification]:
        """A fault of the device ends the technique, never with a claim."""
        try:
            if technique is Technique.OVERWRITE:
                return self._overwrite()
            if technique is Technique.DISCARD:
                return self._discard()
            return self._by_firmware(technique)
        except DeviceFault as fault:
            failed = TechniqueResult(technique, TechniqueStatus.FAILED, str(fault))
            return failed, Verification(method=VerificationMethod.NONE)

    def _overwrite(self) -> tuple[TechniqueResult, Verification]:
        patterns = scheme_passes(self._erasure.request.scheme, self._progress.seed)
        self._begin(Technique.OVERWRITE)
        if self._progress.completed:
            # What a pass could not write then is found again by the comparison.
            self._passes = tuple(Pass(pattern=one, written=self._disk.size, seconds=0.0) for one in patterns)
            done = TechniqueResult(Technique.OVERWRITE, TechniqueStatus.COMPLETED, "completed before a restart")
        else:
            made = overwrite_disk(
                self._disk, patterns, self._progress, self._ports.writer, self._ports.clock, self._advance
            )
            self._passes, done = made.passes, made.result
        if done.status is not TechniqueStatus.COMPLETED:
            return done, Verification(method=VerificationMethod.NONE)
        self._complete()
        return done, read_back(self._erasure, patterns[-1], self._ports.reader, self._show_reading)

    def _discard(self) -> tuple[TechniqueResult, Verification]:
        check = self._planted(Technique.DISCARD)
        self._ports.writer.discard(self._disk, Extent(0, self._disk.size))
        self._complete()
        return TechniqueResult(Technique.DISCARD, TechniqueStatus.COMPLETED, "all blocks discarded"), check.verify()

    def _by_firmware(self, technique: Technique) -> tuple[TechniqueResult, Verification]:
        begun = self._progress.technique is technique
        if begun and self._progress.completed:
            check = CanaryCheck(self._disk, self._progress, self._ports)
            result = TechniqueResult(technique, TechniqueStatus.COMPLETED, "completed before a restart")
        elif begun and self._erasure.report.in_progress is not None:
            # Drives do not all state which technique is in progress: the record does.
            check = CanaryCheck(self._disk, self._progress, self._ports)
            result = self._run(technique, resume_protocol(self._disk, technique))
            if result.status is TechniqueStatus.REFUSED:
                # It has ended since the drive was asked, with an unknown result.
                check = self._planted(technique)
                result = self._run(technique, erase_protocol(self._disk, technique))
        else:
            check = self._planted(technique)
            result = self._run(technique, erase_protocol(self._disk, technique))
        if result.status is not TechniqueStatus.COMPLETED:
            return result, Verification(method=VerificationMethod.NONE)
        self._complete()
        self._ports.commands.reread(self._disk)
        return result, check.verify()

    def _run(self, technique: Technique, protocol: Protocol[TechniqueResult]) -> TechniqueResult:
        deadline = Deadline(self._ports.clock, _TECHNIQUE_SECONDS)
        commands, clock = self._ports.commands, self._ports.clock
        try:
            return run_protocol(protocol, commands, self._disk, clock, deadline, self._show_fraction)
        except EraseFailed as stopped:
            if technique not in SECURITY_TECHNIQUES:
                raise
            raise EraseFailed(f"{stopped.summary}; {release_after_interruption(self._disk, self._ports)}") from stopped

    def _planted(self, technique: Technique) -> CanaryCheck:
        """Record the technique, sample former content and write canaries, before the drive erases itself."""
        check = CanaryCheck(self._disk, self._progress, self._ports)
        self._progress = check.plant()
        self._begin(technique)
        return check

    def _begin(self, technique: Technique) -> None:
        if self._progress.technique is not technique:
            self._progress = replace(self._progress, technique=technique, completed=False, pass_number=0, done=0)
        self._observer.begun(self._disk, self._progress)

    def _advance(self, progress: DiskProgress) -> None:
        self._progress = progress
        self._observer.advanced(self._disk, progress)
        self._observer.shown(self._disk, f"overwrite (pass {progress.pass_number + 1})", progress.done, self._disk.size)

    def _complete(self) -> None:
        self._progress = replace(self._progress, completed=True)
        self._observer.begun(self._disk, self._progress)

    def _end(self, result: TechniqueResult, verification: Verification) -> None:
        """A technique that failed, or was not verified, is not tried again after a power cut. One that was verified
        stays recorded as completed: it is verified again then."""
        self._tried = (*self._tried, result)
        if result.status is TechniqueStatus.COMPLETED and verification.passed:
            return
        self._progress = replace(self._progress, technique=None, completed=False, tried=self._tried)
        self._observer.begun(self._disk, self._progress)

    def _show_reading(self, done: int) -> None:
        self._observer.shown(self._disk, "read back", done, self._disk.size)

    def _show_fraction(self, done: float | None) -> None:
        if done is not None:
            self._observer.shown(self._disk, "erase", int(done * FRACTION), FRACTION)

    def _outcome(self, achieved: TechniqueResult | None, verification: Verification, started: int) -> DiskOutcome:
        erasure = self._erasure
        passes = self._passes if achieved is not None and achieved.technique is Technique.OVERWRITE else ()
        verdict = verdict_on(completed=achieved is not None, passes=passes, verification=verification)
        erased = achieved is not None and verdict is Verdict.ERASED
        return DiskOutcome(
            disk=self._disk,
            report=erasure.report,
            requested=erasure.request.level,
            achieved=TECHNIQUES[achieved.technique].level if achieved and erased else Level.NOT_CLASSIFIED,
            verdict=verdict,
            technique=achieved.technique if achieved is not None else None,
            tried=self._tried,
            refusals=erasure.choice.refusals,
            passes=self._passes,
            verification=verification,
            started_ns=started,
            ended_ns=self._ports.clock.now_ns(),
            errors=tuple(self._errors),
        )


def _why(result: TechniqueResult, verification: Verification, passes: tuple[Pass, ...]) -> str:
    if result.status is not TechniqueStatus.COMPLETED:
        return f"{result.technique.value} {result.status.value}: {result.detail}"
    if verification.error:
        return f"{result.technique.value}: {verification.error}"
    found = (
        (passes[-1].unwritten if passes else (), "could not be written"),
        (verification.different, "are not erased"),
        (verification.unreadable, "cannot be read"),
    )
    parts = [f"{total_size(merged(extents))} bytes {what}" for extents, what in found if extents]
    return f"{result.technique.value}: {', '.join(parts) or 'nothing was verified'}"
