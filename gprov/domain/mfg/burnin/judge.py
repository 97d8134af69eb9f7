"""Compares what a burn-in found with its limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gprov.domain.disk.model import Disk
from gprov.domain.mfg.burnin.diskcounters import DiskCounters
from gprov.domain.mfg.burnin.loads import CpuLoad, LoadResult, MemoryLoad, ReadLoad, WriteLoad
from gprov.domain.mfg.burnin.plan import BurnInPlan
from gprov.domain.mfg.burnin.readings import MemoryErrors, Readings, Temperature
from gprov.domain.mfg.burnin.report import Check
from gprov.domain.mfg.burnin.spec import Limits

_MB = 1_000_000
# What the kernel logs of a corrected error, and of any machine check that did not stop the machine.
_CORRECTED = re.compile(r"\bcorrected\b|Machine check events logged", re.IGNORECASE)
# Of findings of one kind; each of a thousand bad addresses says the same.
_MOST_FINDINGS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """``hottest``: the highest temperature of each sensor. ``hardware_errors``: lines of the kernel's log since the
    start. ``before``, ``after``: None where the burn-in was aborted before the reading."""

    results: tuple[LoadResult, ...]
    hottest: tuple[Temperature, ...]
    hardware_errors: tuple[str, ...]
    before: Readings
    after: Readings | None


def judge(plan: BurnInPlan, found: Found) -> tuple[Check, ...]:
    """Everything that was measured, in a fixed order."""
    limits = plan.spec.limits
    return (
        *(check for result in found.results for check in _result(plan, result)),
        *_temperatures(found.hottest, limits.max_temperature),
        *(_gone(found.before, found.after, limits) if found.after else ()),
        *_memory(found.before.memory, found.after.memory if found.after else None, limits.max_corrected or 0),
        _findings("hardware errors in the kernel's log", _reported(plan, found)),
        *(
            check
            for disk, before, after in zip(
                plan.disks, found.before.disks, found.after.disks if found.after else (), strict=False
            )
            for check in _disk(disk, before, after, limits.max_disk_errors)
        ),
    )


def _reported(plan: BurnInPlan, found: Found) -> tuple[str, ...]:
    """Without the lines about corrected memory errors where some are allowed: those are counted."""
    if not plan.spec.limits.max_corrected or found.before.memory is None:
        return found.hardware_errors
    return tuple(line for line in found.hardware_errors if not _CORRECTED.search(line))


def too_hot(temperatures: Sequence[Temperature], limit: int | None) -> tuple[Temperature, ...]:
    return tuple(one for one in temperatures if limit is not None and one.celsius > limit)


def unmeasured(plan: BurnInPlan, before: Readings) -> tuple[str, ...]:
    """Limits that are given, but that this machine has nothing to compare with: it cannot be tested as asked."""
    limits = plan.spec.limits
    missing = []
    if limits.max_temperature is not None and not before.temperatures:
        missing.append("MaxTemperature: this machine has no temperature sensor that the kernel reads")
    if limits.max_corrected is not None and before.memory is None:
        missing.append("MaxCorrectedErrors: this machine counts no memory errors (no ECC, or no EDAC driver)")
    return tuple(missing)


def not_measured(plan: BurnInPlan, before: Readings) -> tuple[str, ...]:
    """What the report has no number of, since the machine states none."""
    notes = []
    if not before.temperatures:
        notes.append("no temperature sensor")
    if before.memory is None:
        notes.append("no count of memory errors (no ECC, or no EDAC driver)")
    without = [disk.node for disk, counters in zip(plan.disks, before.disks, strict=True) if counters is None]
    if without:
        notes.append(f"no error counters (SMART): {', '.join(without)}")
    return tuple(notes)


def _result(plan: BurnInPlan, result: LoadResult) -> Iterator[Check]:
    test = plan.spec.disks
    match result.load:
        case CpuLoad():
            yield _findings("wrong results of processors", result.failures)
            if result.rate:
                yield Check("speed of processors", f"{result.rate:.0f} operations/s")
        case MemoryLoad():
            yield _findings(f"memory errors, part {result.load.number + 1}", result.failures)
        case ReadLoad(disk):
            yield _findings(f"read errors of {disk.node}", result.failures)
            yield _rate(f"reading of {disk.node}", result.rate, test.min_read if test else None)
        case WriteLoad(disk):
            yield _findings(f"write errors of {disk.node}", result.failures)
            yield _rate(f"writing of {disk.node}", result.rate, test.min_write if test else None)


def _rate(quantity: str, rate: float, least: int | None) -> Check:
    measured = f"{rate / _MB:.1f} MB/s"
    if least is None:
        return Check(quantity, measured)
    return Check(quantity, measured, f"at least {least} MB/s", rate >= least * _MB)


def _findings(quantity: str, lines: Sequence[str]) -> Check:
    if not lines:
        return Check(quantity, "none", "none")
    more = f"; and {len(lines) - _MOST_FINDINGS} more" if len(lines) > _MOST_FINDINGS else ""
    return Check(quantity, f"{len(lines)}: {'; '.join(lines[:_MOST_FINDINGS])}{more}", "none", passed=False)


def _temperatures(hottest: Sequence[Temperature], limit: int | None) -> Iterator[Check]:
    for one in hottest:
        text = f"at most {limit} °C" if limit is not None else ""
        yield Check(
            f"temperature of {one.sensor}", f"{one.celsius:.0f} °C", text, limit is None or one.celsius <= limit
        )


def _gone(before: Readings, after: Readings, limits: Limits) -> Iterator[Check]:
    """What was read before and no longer is, of the things that have a limit."""
    if limits.max_temperature is not None and before.temperatures and not after.temperatures:
        yield _unreadable("temperature sensors")
    if before.memory is not None and after.memory is None:
        yield _unreadable("counters of memory errors (ECC)")


def _unreadable(quantity: str) -> Check:
    return Check(quantity, "no longer readable", "readable", passed=False)


def _memory(before: MemoryErrors | None, after: MemoryErrors | None, most: int) -> Iterator[Check]:
    if before is None or after is None:
        return
    corrected = after.corrected - before.corrected
    uncorrected = after.uncorrected - before.uncorrected
    yield Check("corrected memory errors (ECC)", str(corrected), f"at most {most}", corrected <= most)
    yield Check("uncorrected memory errors (ECC)", str(uncorrected), "none", uncorrected <= 0)


def _disk(disk: Disk, before: DiskCounters | None, after: DiskCounters | None, most: int) -> Iterator[Check]:
    if before is None:
        return
    if after is None:
        yield _unreadable(f"error counters of {disk.node}")
        return
    grown = after.growth(before)
    total = sum(count for _, count in grown)
    names = ", ".join(f"{count} {name}" for name, count in grown) or "0"
    yield Check(f"new errors of {disk.node} (SMART)", names, f"at most {most}", total <= most)
    yield _findings(f"warnings of {disk.node} (SMART)", after.warnings)
