"""Routes of pages: errors become pages too, and one object has what the routes need."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from typing_extensions import override

from gprov.apps.server.pages.detail_queries import DetailQueries
from gprov.apps.server.pages.figure_queries import FigureQueries
from gprov.apps.server.pages.live import LiveFeed
from gprov.apps.server.pages.log_queries import LogQueries
from gprov.apps.server.pages.rendering import Live, Pages
from gprov.apps.server.pages.unit_queries import UnitQueries
from gprov.apps.server.store.erasures import Erasures
from gprov.apps.server.store.queries import Queries
from gprov.domain.errors import BadInput, DeviceFault, Problem

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, kw_only=True)
class PageServices:
    """``line_ns``: the wall screen shows units that have reported within this time."""

    pages: Pages
    units: UnitQueries
    details: DetailQueries
    log: LogQueries
    figures: FigureQueries
    queries: Queries
    erasures: Erasures
    feed: LiveFeed
    line_ns: int

    def live(self, topic: str = "") -> Live:
        """To be asked for before what the page shows is read."""
        return Live(topic, self.units.version(topic))


def page_router(pages: Pages) -> APIRouter:
    """Not part of the description of the API. What the store or a filter has against a request is shown as a page."""

    class PageRoute(APIRoute):
        @override
        def get_route_handler(self) -> _Handler:
            handler = super().get_route_handler()

            async def shown(request: Request) -> Response:
                try:
                    return await handler(request)
                except BadInput as error:
                    title, advice = "This address has mistakes", "Correct them, or begin again with all units."
                    return _problem(pages, request, 422, title, advice, error.problems)
                except DeviceFault:
                    title = "The store cannot be read at this time"
                    return _problem(pages, request, 503, title, "Try again; the log of the server has the reason.")
                except HTTPException as exc:
                    if exc.status_code != 404:
                        raise
                    return _problem(pages, request, 404, "Not found", str(exc.detail))

            return shown

    return APIRouter(include_in_schema=False, route_class=PageRoute)


def _problem(
    pages: Pages, request: Request, status: int, title: str, what_to_do: str, problems: tuple[Problem, ...] = ()
) -> Response:
    return pages.reply(request, "problem.html", status=status, title=title, what_to_do=what_to_do, problems=problems)
