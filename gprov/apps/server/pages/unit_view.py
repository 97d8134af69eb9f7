"""All that the page of a unit shows besides its log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gprov.apps.server.pages.detail_queries import DocumentLine, Handout
from gprov.apps.server.pages.routing import PageServices
from gprov.apps.server.pages.unit_lines import UnitLine, unit_line
from gprov.apps.server.pages.unit_queries import StoredUnit
from gprov.apps.server.store.erasures import ErasureEntry
from gprov.apps.server.store.records import UnitDetail
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.states import Flow, Verdict
from gprov.domain.factory.view.log_filters import PEOPLE, TYPES
from gprov.domain.factory.view.unit_runs import Run, RunEnd, TimedState, runs_of
from gprov.domain.factory.view.unit_words import UnitWord

LOG_TYPES = [("", "all"), (PEOPLE, "for people"), *((kind, kind) for kind in TYPES)]
# Runs on the page; their count is stated.
RUNS = 20
_FLOWS = {Flow.MFG: "Provisioning", Flow.FR: "Restore", Flow.INIT: "Start"}
_TONES = {RunEnd.SUCCEEDED: "ok", RunEnd.FAILED: "failed", RunEnd.NOT_REPORTED: "unknown", RunEnd.OPEN: "running"}
_KINDS = {
    DocumentKind.QA: "QA document",
    DocumentKind.DIFFERENCES: "differences from the specification",
    DocumentKind.HARDWARE: "detected hardware",
    DocumentKind.IDENTITY: "identity in the firmware",
    DocumentKind.BURN_IN: "burn-in report",
    DocumentKind.SMBIOS: "raw SMBIOS table",
}
_STATUSES = {
    DocumentStatus.HELD: ("held", "waiting"),
    DocumentStatus.WAITING: ("waiting for a person", "waiting"),
    DocumentStatus.RELEASED: ("released", "ok"),
    DocumentStatus.DISCARDED: ("discarded", "failed"),
    DocumentStatus.KEPT: ("kept", "unknown"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """``word``: how it ended, or of an open one what is known."""

    name: str
    run: Run
    word: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    document: DocumentLine
    kind: str
    word: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitView:
    """Newest first: ``runs``, ``documents``, ``handouts``, ``erasures``. ``refused``: successes that contradict the
    failure that the same session reported. ``unproven``: reports of sessions that may not change the unit."""

    line: UnitLine
    detail: UnitDetail
    runs: Sequence[RunLine]
    runs_left_out: int
    refused: int
    unproven: int
    documents: Sequence[DocumentRow]
    handouts: Sequence[Handout]
    erasures: Sequence[ErasureEntry]

    @property
    def discarded(self) -> DocumentLine | None:
        """The newest QA document, if it was discarded."""
        newest = next((row.document for row in self.documents if row.document.kind is DocumentKind.QA), None)
        return newest if newest is not None and newest.status is DocumentStatus.DISCARDED else None


def unit_view(services: PageServices, unit: StoredUnit, now_ns: int) -> UnitView | None:
    """None: the unit was removed meanwhile."""
    detail = services.queries.unit(unit.serial)
    if detail is None:
        return None
    line = unit_line(unit, now_ns, services.units.patience)
    applied = [
        TimedState(entry.state, entry.received_ns, entry.session)
        for entry in detail.states
        if entry.verdict is Verdict.APPLIED
    ]
    runs = [_run_line(run, line) for run in reversed(runs_of(applied))]
    return UnitView(
        line=line,
        detail=detail,
        runs=runs[:RUNS],
        runs_left_out=len(runs[RUNS:]),
        refused=sum(entry.verdict is Verdict.CONTRADICTED for entry in detail.states),
        unproven=sum(entry.verdict is Verdict.UNPROVEN for entry in detail.states),
        documents=[_document_row(document) for document in services.details.documents(unit.row)],
        handouts=services.details.handouts(unit.row),
        erasures=services.erasures.of_unit(unit.serial),
    )


def _run_line(run: Run, line: UnitLine) -> RunLine:
    word, tone = run.end.value, _TONES[run.end]
    aborted = line.word is UnitWord.ABORTED and run.ended_ns == line.unit.state_ns
    if run.end is RunEnd.OPEN or aborted:
        word, tone = line.word.value, line.tone
    return RunLine(name=_FLOWS[run.flow], run=run, word=word, tone=tone)


def _document_row(document: DocumentLine) -> DocumentRow:
    word, tone = _STATUSES[document.status]
    return DocumentRow(document=document, kind=_KINDS[document.kind], word=word, tone=tone)
