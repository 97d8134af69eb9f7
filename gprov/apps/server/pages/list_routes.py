"""``/recent/``, and the same units as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from gprov.apps.server.pages.headers import DATA_HEADERS
from gprov.apps.server.pages.routing import PageServices, page_router
from gprov.apps.server.pages.unit_lines import UnitLine, unit_line, unit_lines
from gprov.apps.server.pages.unit_queries import Cursor, parse_cursor
from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.view.csv_cells import safe_cell
from gprov.domain.factory.view.time_words import iso_text
from gprov.domain.factory.view.unit_filters import Situation, UnitFilter, read_filter

PAGE_SIZE = 50
_SITUATIONS = [(each.value, each.words) for each in Situation]


def list_routes(services: PageServices) -> APIRouter:
    router = page_router(services.pages)
    units, pages = services.units, services.pages

    @router.get("/")
    def start() -> Response:
        return RedirectResponse("/recent/", 303)

    @router.get("/recent/")
    def recent(request: Request) -> Response:
        query = request.query_params
        live = services.live()
        problems: Sequence[Problem] = ()
        try:
            asked, after = read_filter(query), _cursor(query)
        except BadInput as error:
            asked, after, problems = UnitFilter(), None, error.problems
        page = units.page(asked, PAGE_SIZE, after)
        now_ns = pages.now()
        return pages.reply(
            request,
            "units.html",
            status=422 if problems else 200,
            live=live,
            lines=unit_lines(page.units, now_ns, units.patience),
            asked=asked,
            typed={key: query.get(key, "") for key in ("q", "error", "state", "platform", "since", "until")},
            problems={problem.place: problem.message for problem in problems},
            situations=_SITUATIONS,
            platforms=[("", "all"), *((name, name) for name in units.platforms())],
            first=after is None,
            older=f"/recent/?{asked.query(after=page.next.text)}" if page.next else "",
            newest=f"/recent/?{asked.query()}",
            export=asked.query(),
        )

    @router.get("/units.csv")
    def as_csv(request: Request) -> Response:
        headers = {**DATA_HEADERS, "Content-Disposition": 'attachment; filename="units.csv"'}
        records = _records(services, read_filter(request.query_params))
        return StreamingResponse(_csv(records), media_type="text/csv; charset=utf-8", headers=headers)

    @router.get("/units.json")
    def as_json(request: Request) -> Response:
        records = _records(services, read_filter(request.query_params))
        return StreamingResponse(_json(records), media_type="application/json", headers=DATA_HEADERS)

    return router


def _cursor(query: Mapping[str, str]) -> Cursor | None:
    """Raises BadInput."""
    text = query.get("after", "")
    found = parse_cursor(text)
    if text and found is None:
        raise BadInput("page", [Problem("after", "is not the end of a page")])
    return found


def _records(services: PageServices, asked: UnitFilter) -> Iterator[Sequence[Mapping[str, str | list[str]]]]:
    """Every unit that the filter shows, in batches: a store of any size is exported in bounded memory."""
    for batch in services.units.all(asked):
        now_ns = services.pages.now()
        macs = services.units.macs([unit.row for unit in batch])
        yield [_record(unit_line(unit, now_ns, services.units.patience), *macs[unit.row]) for unit in batch]


def _record(line: UnitLine, nics: Sequence[str], bmc: Sequence[str]) -> Mapping[str, str | list[str]]:
    unit = line.unit
    return {
        "serial": unit.serial,
        "code_name": unit.code_name,
        "word": line.word.value,
        "state": unit.state.value,
        "state_since": iso_text(unit.state_ns),
        "last_report": iso_text(unit.last_seen_ns),
        "first_report": iso_text(unit.first_seen_ns),
        "failure": line.advice.label if line.advice else "",
        "error": line.cause,
        "concern": unit.concern,
        "macs": list(nics),
        "bmc_macs": list(bmc),
    }


def _csv(batches: Iterator[Sequence[Mapping[str, str | list[str]]]]) -> Iterator[str]:
    """RFC 4180. Texts cannot become formulas of a spreadsheet."""
    heads: Sequence[str] = ()
    for batch in batches:
        text = io.StringIO()
        writer = csv.writer(text)
        if not heads:
            heads = _HEADS
            writer.writerow(heads)
        for record in batch:
            cells = (record[head] for head in heads)
            writer.writerow([safe_cell(cell if isinstance(cell, str) else " ".join(cell)) for cell in cells])
        yield text.getvalue()


def _json(batches: Iterator[Sequence[Mapping[str, str | list[str]]]]) -> Iterator[str]:
    yield '{"units": ['
    before = "\n"
    for batch in batches:
        for record in batch:
            yield before + json.dumps(record)
            before = ",\n"
    yield "\n]}\n"


_HEADS = (
    "serial",
    "code_name",
    "word",
    "state",
    "state_since",
    "last_report",
    "first_report",
    "failure",
    "error",
    "concern",
    "macs",
    "bmc_macs",
)
