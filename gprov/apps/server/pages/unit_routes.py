"""Pages about one unit: ``/view/``, ``/unit-state/``, and its documents.

The serial number is a path or, for those that addresses change, a query: ``gprov.domain.factory.view.addresses``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from gprov.apps.server.pages.headers import DATA_HEADERS
from gprov.apps.server.pages.log_queries import Place
from gprov.apps.server.pages.routing import PageServices, page_router
from gprov.apps.server.pages.unit_lines import unit_line
from gprov.apps.server.pages.unit_queries import StoredUnit
from gprov.apps.server.pages.unit_view import LOG_TYPES, unit_view
from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.syntax import MAX_SERIAL, whole_number
from gprov.domain.factory.view.log_filters import LogFilter, read_log_filter
from gprov.domain.factory.view.time_words import iso_text

LOG_SIZE = 100
_LAST_SEQ = 2**62


_UNKNOWN = "This server has no unit with that serial number."


def unit_routes(services: PageServices) -> APIRouter:
    router = page_router(services.pages)

    @router.get("/view/{serial:path}/")
    @router.get("/view/")
    def view(request: Request, serial: str = "") -> Response:
        return _view(services, request, serial)

    # The lower one is asked first.
    @router.get("/unit-state/{serial:path}")
    @router.get("/unit-state/{serial:path}/")
    def unit_state(request: Request, serial: str = "") -> Response:
        """For programs: the state in one line, or as JSON with what pages say about it."""
        unit = _find(services, serial or request.query_params.get("serial", ""))
        return _state(services, unit, as_json=_wants_json(request))

    @router.get("/document/")
    def document(request: Request, serial: str, number: str, save: str = "") -> Response:
        """The content as text on a page; with ``save`` as a file. A document is shown as HTML in no case."""
        return _document(services, request, _known(services, serial), number, as_file=bool(save))

    return router


def _find(services: PageServices, serial: str) -> StoredUnit | None:
    return services.units.one(serial) if 0 < len(serial) <= MAX_SERIAL else None


def _known(services: PageServices, serial: str) -> StoredUnit:
    found = _find(services, serial)
    if found is None:
        raise HTTPException(404, _UNKNOWN)
    return found


def _view(services: PageServices, request: Request, serial: str) -> Response:
    query, pages = request.query_params, services.pages
    live = services.live(serial) if serial else None
    unit = _known(services, serial)
    shown = unit_view(services, unit, pages.now())
    if shown is None:
        raise HTTPException(404, _UNKNOWN)
    problems: tuple[Problem, ...] = ()
    try:
        asked, place = read_log_filter(query), _place(query)
    except BadInput as error:
        asked, place, problems = LogFilter(), Place(), error.problems
    return pages.reply(
        request,
        "unit.html",
        status=422 if problems else 200,
        live=live,
        view=shown,
        actions=pages.actions(request),
        log=services.log.page(unit.row, asked, place, LOG_SIZE),
        asked=asked,
        typed={key: query.get(key, "") for key in ("type", "session", "text", "since", "until")},
        problems={problem.place: problem.message for problem in problems},
        log_types=LOG_TYPES,
    )


def _state(services: PageServices, unit: StoredUnit | None, *, as_json: bool) -> Response:
    if unit is None:
        text = json.dumps({"error": "no such unit"}) if as_json else "no such unit"
        return _data(text, as_json=as_json, status=404)
    if not as_json:
        return _data(unit.state.value, as_json=False)
    line = unit_line(unit, services.pages.now(), services.units.patience)
    record = {
        "serial": unit.serial,
        "state": unit.state.value,
        "state_since": iso_text(unit.state_ns),
        "last_report": iso_text(unit.last_seen_ns),
        "word": line.word.value,
        "sentence": line.sentence,
        "needs_person": line.needs_person,
        "concern": unit.concern,
        "failure": line.advice.label if line.advice else "",
        "error": line.cause,
        "action": line.action,
    }
    return _data(json.dumps(record, indent=2), as_json=True)


def _document(services: PageServices, request: Request, unit: StoredUnit, number: str, *, as_file: bool) -> Response:
    line = next((each for each in services.details.documents(unit.row) if str(each.number) == number), None)
    content = services.details.content(unit.row, line.number) if line else None
    if line is None or content is None:
        raise HTTPException(404, "The unit has no such document, or it is a QA document that was not released.")
    if as_file:
        disposition = f"attachment; filename*=UTF-8''{quote(line.name, safe='')}"
        headers = {**DATA_HEADERS, "Content-Disposition": disposition}
        return Response(content, media_type="application/octet-stream", headers=headers)
    return services.pages.reply(request, "document.html", unit=unit, document=line, content=content)


def _place(query: Mapping[str, str]) -> Place:
    """Raises BadInput."""
    for key in ("before", "after"):
        text = query.get(key, "")
        if not text:
            continue
        seq = whole_number(text, 0, _LAST_SEQ)
        if seq is None:
            raise BadInput("page", [Problem(key, "is not a place in the log")])
        return Place(seq, forward=key == "after")
    return Place()


def _wants_json(request: Request) -> bool:
    if "format" in request.query_params:
        return request.query_params["format"] == "json"
    return "application/json" in request.headers.get("accept", "")


def _data(text: str, *, as_json: bool, status: int = 200) -> Response:
    if as_json:
        return Response(f"{text}\n", status, DATA_HEADERS, "application/json")
    return PlainTextResponse(f"{text}\n", status, DATA_HEADERS)
