"""``/figures/``: throughput, failures and durations, as charts and as tables; and ``/meanings/``: what words mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gprov.apps.server.pages.figure_queries import MOST, Tally
from gprov.apps.server.pages.routing import PageServices, page_router
from gprov.apps.server.pages.unit_lines import TONES
from gprov.domain.errors import BadInput, Problem
from gprov.domain.events import ProcessState
from gprov.domain.factory.view.charts import Chart, stacked_bars
from gprov.domain.factory.view.figures import Span, duration_summaries, failure_kinds
from gprov.domain.factory.view.time_words import duration_text, utc_text
from gprov.domain.factory.view.unit_words import NEEDS_PERSON, UnitWord

_S = ProcessState
# Columns of tables: the state, and what its count says.
COLUMNS = (
    (_S.MFG_SUCCEEDED, "provisioned"),
    (_S.FR_SUCCEEDED, "restored"),
    (_S.MFG_FAILED, "provisioning failed"),
    (_S.FR_FAILED, "restore failed"),
)
_FAILURES = (_S.MFG_FAILED, _S.FR_FAILED)


@dataclass(frozen=True, slots=True)
class CountRow:
    """``counts``: in the order of ``COLUMNS``."""

    label: str
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Throughput:
    rows: Sequence[CountRow]
    chart: Chart


def figure_routes(services: PageServices) -> APIRouter:
    router = page_router(services.pages)

    @router.get("/figures/")
    def figures(request: Request) -> Response:
        span = _span(request.query_params)
        start_ns = span.start(services.pages.now())
        queries = services.figures
        failures = queries.failures(start_ns, _FAILURES)
        durations = {
            "Provisioning": queries.durations(start_ns, _S.MFG_STARTED, _S.MFG_SUCCEEDED),
            "Restore": queries.durations(start_ns, _S.FR_STARTED, _S.FR_SUCCEEDED),
        }
        return services.pages.reply(
            request,
            "figures.html",
            span=span,
            spans=list(Span),
            start_ns=start_ns,
            throughput=throughput(queries.tallies(start_ns, span.part_ns), span, start_ns),
            columns=[words for _, words in COLUMNS],
            platforms=_platforms(queries.platforms(start_ns)),
            kinds=failure_kinds((failure.code_name, failure.error) for failure in failures),
            durations={
                name: duration_summaries((each.code_name, each.duration_ns) for each in found)
                for name, found in durations.items()
            },
            most=MOST,
            cut=len(failures) == MOST or any(len(found) == MOST for found in durations.values()),
        )

    @router.get("/meanings/")
    def meanings(request: Request) -> Response:
        words = [(word, TONES[word], word in NEEDS_PERSON) for word in UnitWord]
        patience = services.units.patience
        return services.pages.reply(
            request,
            "meanings.html",
            words=words,
            silent=duration_text(patience.silent_ns),
            restore=duration_text(patience.restore_ns),
        )

    return router


def throughput(tallies: Sequence[Tally], span: Span, start_ns: int) -> Throughput:
    counts = {(tally.part, tally.state): tally.units for tally in tallies}
    labels = [_label(start_ns + part * span.part_ns, span) for part in range(span.parts)]
    rows = [
        CountRow(label, [counts.get((part, state), 0) for state, _ in COLUMNS]) for part, label in enumerate(labels)
    ]
    restored = [row.counts[1] for row in rows]
    failed = [row.counts[2] + row.counts[3] for row in rows]
    return Throughput(rows, stacked_bars(labels, [restored, failed]))


def _label(time_ns: int, span: Span) -> str:
    text = utc_text(time_ns)
    return text[11:16] if span is Span.DAY else text[5:10]


def _platforms(found: Sequence[tuple[str, ProcessState, int]]) -> Sequence[CountRow]:
    counts = {(code_name, state): units for code_name, state, units in found}
    names = sorted({code_name for code_name, _, _ in found})
    return [CountRow(name, [counts.get((name, state), 0) for state, _ in COLUMNS]) for name in names]


def _span(query: Mapping[str, str]) -> Span:
    """Raises BadInput."""
    text = query.get("span", Span.WEEK.value)
    found = next((span for span in Span if span.value == text), None)
    if found is None:
        allowed = ", ".join(span.value for span in Span)
        raise BadInput("figures", [Problem("span", f"must be one of {allowed}")])
    return found
