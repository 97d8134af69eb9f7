"""``/live/``: the stream of server-sent events that keeps pages up to date (HTML standard, section 9.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from gprov.apps.server.pages.headers import DATA_HEADERS
from gprov.apps.server.pages.live import MAX_TOPIC, LiveFeed
from gprov.domain.errors import RefusedByPolicy

# A stream ends after this time, and the browser opens the next one: with the rights that its person has by then.
STREAM_SECONDS = 600.0
_RETRY_MS = 2000
_FULL_SECONDS = 60


def live_routes(feed: LiveFeed) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/live/")
    async def live(request: Request) -> Response:
        """``topic``: serial number, or nothing for all units. ``after``: version that the page shows; the one of the
        header Last-Event-ID is newer and counts."""
        topic = request.query_params.get("topic", "")[:MAX_TOPIC]
        known = request.headers.get("last-event-id") or request.query_params.get("after", "")
        changes = feed.changes(topic, known, STREAM_SECONDS)
        try:
            feed.require_room()
        except RefusedByPolicy as error:
            return PlainTextResponse(f"{error}\n", 503, {"Retry-After": str(_FULL_SECONDS), **DATA_HEADERS})
        headers = {**DATA_HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(_events(changes), media_type="text/event-stream", headers=headers)

    return router


async def _events(versions: AsyncIterator[str]) -> AsyncIterator[str]:
    yield f"retry: {_RETRY_MS}\n\n"
    async for version in versions:
        yield f"id: {version}\nevent: change\ndata: {version}\n\n"
