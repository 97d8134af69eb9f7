"""For programs that watch the server. Their replies have nothing of a unit and nothing secret."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from gprov.apps.server.store.health import Health
from gprov.apps.server.store.queries import Queries
from gprov.apps.server.web.metrics import Metrics

_NOT_STORED = {"Cache-Control": "no-store"}


def health_routes(health: Health, metrics: Metrics, queries: Queries) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> Response:
        """The process answers."""
        return JSONResponse({"live": True}, headers=_NOT_STORED)

    @router.get("/health")
    def ready() -> Response:
        """503: reports of units are not taken now."""
        problems = health.problems()
        status = 503 if problems else 200
        document = {"ready": not problems, "problems": list(problems), "warnings": list(health.warnings())}
        return JSONResponse(document, status, _NOT_STORED)

    @router.get("/metrics")
    def figures() -> Response:
        text = metrics.text(queries.count_by_state(), health.free_bytes())
        return Response(text, headers=_NOT_STORED, media_type=CONTENT_TYPE_LATEST)

    return router
