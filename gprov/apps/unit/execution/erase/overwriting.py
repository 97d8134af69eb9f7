"""Overwriting a disk: passes, resumed where the record says, and the comparison of the last pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.outcome import Pass, TechniqueResult, TechniqueStatus
from gprov.domain.erase.patterns import Pattern
from gprov.domain.erase.record import DiskProgress
from gprov.domain.erase.techniques import Technique
from gprov.ports.clock import Clock
from gprov.ports.destructive.disk_writer import DiskWriter, WriteOutcome

# Written but perhaps not flushed when power is lost: more than the cache of any drive.
UNFLUSHED_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Overwritten:
    """``passes``: those of this start of the unit, and those before it."""

    result: TechniqueResult
    passes: tuple[Pass, ...]


def overwrite_disk(
    disk: Disk,
    patterns: tuple[Pattern, ...],
    progress: DiskProgress,
    writer: DiskWriter,
    clock: Clock,
    advanced: Callable[[DiskProgress], None],
) -> Overwritten:
    """Write each pattern to the whole disk, beginning where ``progress`` says. ``advanced`` gets the progress now and
    then; what it raises ends the pass and is passed on. Raises DeviceFault (exchanged, in use)."""
    passes = [Pass(pattern=pattern, written=disk.size, seconds=0.0) for pattern in patterns[: progress.pass_number]]
    for number in range(progress.pass_number, len(patterns)):
        start = _resumed_at(disk, progress) if number == progress.pass_number else 0
        made = _write_pass(disk, patterns[number], start, writer, clock, _reporter(progress, number, start, advanced))
        passes.append(made)
        if made.error:
            return Overwritten(_result(TechniqueStatus.FAILED, made.error), tuple(passes))
    missed = sum(extent.size for extent in passes[-1].unwritten)
    if missed:
        detail = f"{missed} bytes could not be written"
    else:
        detail = f"{len(passes)} {'pass' if len(passes) == 1 else 'passes'} over {disk.size} bytes"
    return Overwritten(_result(TechniqueStatus.COMPLETED, detail), tuple(passes))


def _reporter(
    progress: DiskProgress, number: int, start: int, advanced: Callable[[DiskProgress], None]
) -> Callable[[int], None]:
    def report(done: int) -> None:
        advanced(replace(progress, pass_number=number, done=start + done))

    return report


def _resumed_at(disk: Disk, progress: DiskProgress) -> int:
    done = max(0, min(progress.done, disk.size) - UNFLUSHED_BYTES)
    return done - done % max(disk.sector_size, 4096)


def _write_pass(
    disk: Disk, pattern: Pattern, start: int, writer: DiskWriter, clock: Clock, report: Callable[[int], None]
) -> Pass:
    began = clock.monotonic()
    outcome: WriteOutcome = writer.overwrite(disk, Extent(start, disk.size), pattern, report)
    return Pass(
        pattern=pattern,
        written=start + outcome.written,
        seconds=clock.monotonic() - began,
        unwritten=outcome.unwritten,
        error=outcome.error,
    )


def _result(status: TechniqueStatus, detail: str) -> TechniqueResult:
    return TechniqueResult(Technique.OVERWRITE, status, detail)
