"""Making an erase report from the outcomes of the disks. It never claims more than they prove."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from gprov import __version__
from gprov.domain.disk.model import Disk
from gprov.domain.erase.document_format import ReportFormat
from gprov.domain.erase.drive_report import Media
from gprov.domain.erase.extents import Extent, merged, total_size
from gprov.domain.erase.outcome import DiskOutcome, Pass, Verdict, Verification
from gprov.domain.erase.report import (
    MAX_LINES,
    MAX_RANGES,
    Areas,
    DiskEntry,
    DiskIdentity,
    ErasureReport,
    NotUsable,
    OptionResult,
    OptionStatus,
    OutOfScope,
    PassEntry,
    Tool,
    Trial,
    UnitIdentity,
    VerificationEntry,
)
from gprov.domain.erase.report_claims import lowest_level, overall_verdict, passed, unsupported_claims
from gprov.domain.erase.techniques import TECHNIQUES, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureFacts:
    """``started_ns``, ``ended_ns``: UTC, nanoseconds since 1970. ``out_of_scope``: disks that were left as they are,
    with reasons. ``missing``: one line for each disk that the platform specifies and that was not found."""

    unit: UnitIdentity
    operator: str
    started_ns: int
    ended_ns: int
    requested: Level
    outcomes: tuple[DiskOutcome, ...]
    out_of_scope: tuple[tuple[Disk, str], ...] = ()
    missing: tuple[str, ...] = ()
    options: tuple[OptionResult, ...] = ()


def make_report(facts: ErasureFacts) -> ErasureReport:
    """An outcome that claims more than it proves becomes a failed one, with the reasons among its errors."""
    entries = tuple(_supported(_entry(outcome)) for outcome in facts.outcomes)
    return ErasureReport(
        format=ReportFormat.FIRST,
        unit=facts.unit,
        tool=Tool("gprov", __version__),
        operator=facts.operator,
        started=facts.started_ns,
        ended=facts.ended_ns,
        requested=facts.requested,
        achieved=lowest_level(entries),
        verdict=overall_verdict(entries, facts.missing),
        disks=entries,
        out_of_scope=tuple(OutOfScope(_identity(disk), reason) for disk, reason in facts.out_of_scope),
        missing=_lines(facts.missing),
        options=_options(facts.options),
        validation=None,
    )


def _supported(entry: DiskEntry) -> DiskEntry:
    claims = unsupported_claims(entry)
    if not claims:
        return entry
    stated = f"not certified as {entry.verdict.value} ({entry.achieved.value})"
    errors = _lines((*(f"{stated}: {claim}" for claim in claims), *entry.errors))
    return replace(entry, verdict=Verdict.FAILED, achieved=Level.NOT_CLASSIFIED, errors=errors)


def _entry(outcome: DiskOutcome) -> DiskEntry:
    technique = TECHNIQUES[outcome.technique] if outcome.technique else None
    return DiskEntry(
        disk=_identity(outcome.disk, outcome.report.media, outcome.report.firmware),
        started=outcome.started_ns,
        ended=outcome.ended_ns,
        requested=outcome.requested,
        achieved=outcome.achieved,
        verdict=outcome.verdict,
        technique=outcome.technique,
        technique_text=technique.name if technique else "",
        basis=technique.basis if technique else "",
        tried=tuple(Trial(one.technique, one.status, one.detail) for one in outcome.tried),
        refusals=tuple(NotUsable(one.technique, one.reason) for one in outcome.refusals),
        passes=tuple(map(_pass, outcome.passes)),
        verification=_verification(outcome.verification),
        not_examined=_lines(outcome.report.not_examined),
        notes=_lines(outcome.report.notes),
        errors=_lines(outcome.errors),
    )


def _identity(disk: Disk, media: Media = Media.UNKNOWN, firmware: str = "") -> DiskIdentity:
    return DiskIdentity(
        name=disk.node,
        vendor=disk.vendor,
        model=disk.model,
        serial=disk.serial,
        wwn=disk.wwn,
        firmware=firmware,
        size=disk.size,
        media=media,
        bus=disk.bus,
        place=disk.place,
    )


def _pass(one: Pass) -> PassEntry:
    return PassEntry(
        pattern=one.pattern.describe(),
        written=one.written,
        seconds=one.seconds,
        unwritten=areas(one.unwritten),
        error=one.error,
    )


def _verification(one: Verification) -> VerificationEntry:
    entry = VerificationEntry(
        method=one.method,
        passed=False,
        examined=one.examined,
        different=areas(one.different),
        unreadable=areas(one.unreadable),
        seed=one.seed,
        confidence=one.confidence,
        undetected_share=one.undetected_share,
        error=one.error,
    )
    return replace(entry, passed=passed(entry))


def areas(extents: Iterable[Extent]) -> Areas:
    """At most ``MAX_RANGES`` ranges, which cover all of ``extents``: those with the smallest gaps are joined."""
    exact = merged(extents)
    gaps = sorted(range(1, len(exact)), key=lambda index: exact[index].start - exact[index - 1].end, reverse=True)
    cuts = [0, *sorted(gaps[: MAX_RANGES - 1]), len(exact)]
    joined = [Extent(exact[begin].start, exact[end - 1].end) for begin, end in pairwise(cuts) if exact]
    return Areas(total_size(exact), tuple(joined))


def _options(results: tuple[OptionResult, ...]) -> tuple[OptionResult, ...]:
    """At most ``MAX_LINES``: then failures come first, and the last entry states how many are left out."""
    if len(results) <= MAX_LINES:
        return results
    ordered = sorted(results, key=lambda one: one.status is not OptionStatus.FAILED)
    left_out = ordered[MAX_LINES - 1 :]
    status = OptionStatus.FAILED if left_out[0].status is OptionStatus.FAILED else OptionStatus.DONE
    return (*ordered[: MAX_LINES - 1], OptionResult("further results", status, f"{len(left_out)} are not listed"))


def _lines(lines: Iterable[str]) -> tuple[str, ...]:
    """At most ``MAX_LINES``; the last one then states how many are left out."""
    found = tuple(lines)
    if len(found) <= MAX_LINES:
        return found
    return (*found[: MAX_LINES - 1], f"… {len(found) - MAX_LINES + 1} more lines")
