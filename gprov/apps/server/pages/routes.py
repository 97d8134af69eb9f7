"""All pages."""

from __future__ import annotations

from fastapi import APIRouter

from gprov.apps.server.pages.figure_routes import figure_routes
from gprov.apps.server.pages.line_routes import line_routes
from gprov.apps.server.pages.list_routes import list_routes
from gprov.apps.server.pages.live_routes import live_routes
from gprov.apps.server.pages.routing import PageServices
from gprov.apps.server.pages.unit_routes import unit_routes


def page_routes(services: PageServices) -> APIRouter:
    """For people who may see units."""
    router = APIRouter()
    for routes in (list_routes, unit_routes, line_routes, figure_routes):
        router.include_router(routes(services))
    router.include_router(live_routes(services.feed))
    return router
