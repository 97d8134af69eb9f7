"""What the entries of an erase report must prove before they may claim a result.

The same rules apply where a report is made and where it is read: a report with a claim that its own entries do not
support is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from gprov.domain.erase.extents import total_size
from gprov.domain.erase.outcome import TechniqueStatus, Verdict, VerificationMethod
from gprov.domain.erase.report import Areas, DiskEntry, ErasureReport, OverallVerdict, VerificationEntry
from gprov.domain.erase.techniques import TECHNIQUES, Level, Technique


def unsupported_claims(entry: DiskEntry) -> tuple[str, ...]:
    """Reasons why the verdict and the level of a disk are more than the entry proves; empty if there are none."""
    if entry.verdict is Verdict.FAILED:
        raised = entry.achieved is not Level.NOT_CLASSIFIED
        return (f"the level {entry.achieved.value} is claimed though the erase failed",) if raised else ()
    return tuple(_of_result(entry)) + (tuple(_of_whole(entry)) if entry.verdict is Verdict.ERASED else ())


def passed(verification: VerificationEntry) -> bool:
    """Something was examined, and all of it is as it must be."""
    clean = not (verification.different.bytes or verification.unreadable.bytes or verification.error)
    return clean and verification.method is not VerificationMethod.NONE and verification.examined > 0


def lowest_level(entries: Sequence[DiskEntry]) -> Level:
    return min((entry.achieved for entry in entries), key=lambda level: level.rank, default=Level.NOT_CLASSIFIED)


def overall_verdict(entries: Sequence[DiskEntry], missing: Sequence[str]) -> OverallVerdict:
    order = list(OverallVerdict)
    found = [OverallVerdict(entry.verdict.value) for entry in entries]
    if missing or not entries:
        found.append(OverallVerdict.INCOMPLETE)
    return max(found, key=order.index)


def areas_problem(areas: Areas) -> str:
    """Empty if the ranges are in order, do not overlap, and can hold the stated bytes."""
    ordered = all(one.size > 0 for one in areas.ranges)
    ordered = ordered and all(one.end < other.start for one, other in pairwise(areas.ranges))
    held = areas.bytes <= total_size(areas.ranges) and bool(areas.bytes) == bool(areas.ranges)
    return "" if ordered and held else "must be ranges in order, apart from each other, that hold the stated bytes"


def contradictions(report: ErasureReport) -> Iterator[tuple[str, str]]:
    """Place in the document and message of each claim that the report does not support."""
    for index, entry in enumerate(report.disks):
        place = f"$.disks[{index}]"
        yield from ((f"{place}.verdict", claim) for claim in unsupported_claims(entry))
        if entry.verification.passed is not passed(entry.verification):
            yield f"{place}.verification.passed", f"must be {str(passed(entry.verification)).lower()}"
        yield from _of_areas(place, entry)
        if entry.requested is not report.requested:
            yield f"{place}.requested", f"must be {report.requested.value}, as for the whole report"
    verdict, achieved = overall_verdict(report.disks, report.missing), lowest_level(report.disks)
    if report.verdict is not verdict:
        yield "$.verdict", f"must be {verdict.value}: the worst of the disks"
    if report.achieved is not achieved:
        yield "$.achieved", f"must be {achieved.value}: the lowest of the disks"


def _of_areas(place: str, entry: DiskEntry) -> Iterator[tuple[str, str]]:
    stated = [(f"passes[{index}].unwritten", one.unwritten) for index, one in enumerate(entry.passes)]
    stated += [
        ("verification.different", entry.verification.different),
        ("verification.unreadable", entry.verification.unreadable),
    ]
    for name, areas in stated:
        if problem := areas_problem(areas):
            yield f"{place}.{name}", problem


def _of_result(entry: DiskEntry) -> Iterator[str]:
    if entry.technique is None:
        yield "no technique is stated"
    elif entry.achieved.rank > TECHNIQUES[entry.technique].level.rank:
        yield f"{entry.technique.value} does not reach the level {entry.achieved.value}"
    if entry.verification.method is VerificationMethod.NONE or not entry.verification.examined:
        yield "nothing was verified"


def _of_whole(entry: DiskEntry) -> Iterator[str]:
    verification = entry.verification
    done = {trial.technique for trial in entry.tried if trial.status is TechniqueStatus.COMPLETED}
    if entry.technique not in done:
        yield "the technique did not complete"
    if not passed(verification):
        yield "the verification did not pass"
    if verification.method is VerificationMethod.FULL and verification.examined < entry.disk.size:
        yield f"{verification.examined} of {entry.disk.size} bytes were examined: that is not the whole disk"
    read_back = verification.method in (VerificationMethod.FULL, VerificationMethod.SAMPLE)
    if entry.technique is Technique.OVERWRITE:
        if not read_back:
            yield "an overwrite is verified by reading it back"
        yield from _of_overwrite(entry)
    elif verification.method is not VerificationMethod.CANARIES:
        yield "a technique that the drive carries out is verified by canaries and former content"


def _of_overwrite(entry: DiskEntry) -> Iterator[str]:
    last = entry.passes[-1] if entry.passes else None
    if last is None:
        yield "no overwrite pass is stated"
    elif last.error or last.unwritten.bytes or last.written < entry.disk.size:
        yield "the last overwrite pass did not write the whole disk"
