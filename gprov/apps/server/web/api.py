"""The API: what units post, and what tools and pages read back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from gprov.apps.server.access.unit_gate import UnitGate
from gprov.apps.server.secrets.credentials import CredentialService
from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.store.bounds import BoundedStore
from gprov.apps.server.store.queries import Queries
from gprov.apps.server.store.recording import Store
from gprov.apps.server.store.records import EventPage, KeptDocument, UnitDetail, UnitList
from gprov.apps.server.store.released_documents import ReleasedDocuments
from gprov.apps.server.web.http import Received, json_body, json_reply
from gprov.apps.server.web.limits.admission import Admission
from gprov.apps.server.web.metrics import Metrics
from gprov.apps.server.web.openapi import (
    ASKED,
    POSTED,
    REFUSED,
    UNKNOWN_DOCUMENT,
    UNKNOWN_UNIT,
    Outcome,
    answers,
    takes,
)
from gprov.apps.server.web.unit_sessions import unit_sessions
from gprov.domain.errors import DeviceFault
from gprov.domain.factory import requests
from gprov.domain.factory.event_batches import decode_batch
from gprov.domain.factory.replies import StoredReply, TimeReply
from gprov.domain.factory.requests import API
from gprov.domain.factory.syntax import MAX_NAME, MAX_SERIAL
from gprov.domain.unit.credentials import Credentials

log = logging.getLogger("gprov.server")

# Bytes of a batch of events that keep other requests waiting for a few milliseconds at most.
_SHORT = 32 << 10

Body = Annotated[Received, Depends(json_body)]
Serial = Annotated[str, Query(min_length=1, max_length=MAX_SERIAL)]


@dataclass(frozen=True, kw_only=True)
class Services:
    """``now``: the server's clock, UTC, ns."""

    store: Store
    credentials: CredentialService
    gate: UnitGate
    queries: Queries
    released: ReleasedDocuments
    key: StoreKey
    metrics: Metrics
    admission: Admission
    bounds: BoundedStore
    now: Callable[[], int]

    def write_released(self) -> None:
        """Write the documents that are due. A failure is logged; the next sweep tries again."""
        try:
            self.released.write_due()
        except DeviceFault as fault:
            log.warning("%s", fault)


def api(services: Services, viewing: Any) -> APIRouter:
    """``viewing``: what a request that reads must depend on."""
    router = APIRouter(prefix=API)
    router.include_router(unit_sessions(services.gate, services.admission))
    router.include_router(_reports(services))
    router.include_router(_questions(services))
    router.include_router(_readback(services), dependencies=[viewing])
    return router


def _path(request: type[requests.Request]) -> str:
    return f"/{request.path}"


def _reports(services: Services) -> APIRouter:
    router = APIRouter(tags=["reports of units"])
    store, admission = services.store, services.admission

    @router.post(
        _path(requests.EventBatch),
        summary="Append to a unit's log",
        openapi_extra=takes(requests.EventBatch),
        responses=answers(StoredReply, *POSTED),
    )
    async def events(body: Body) -> Response:
        """Harmless to repeat: an event is identified by session and number. STATE events change the unit's state,
        unless their session also posts to `/state`."""
        # A short one is read here: handing it to a thread takes longer.
        short = len(body.data) <= _SHORT
        batch = decode_batch(body.data) if short else await run_in_threadpool(decode_batch, body.data)
        if admission.is_known(batch.sender):
            admission.admit(batch, body.peer)
        else:
            await run_in_threadpool(admission.admit, batch, body.peer)
        stored = await asyncio.wrap_future(store.events(batch))
        services.metrics.stored(stored.count)
        if stored.states:
            await run_in_threadpool(services.write_released)
        return json_reply(StoredReply(stored.count))

    @router.post(
        _path(requests.StateReport),
        status_code=204,
        summary="Report a unit's state",
        openapi_extra=takes(requests.StateReport),
        responses=answers(None, *POSTED, REFUSED),
    )
    def state(body: Body) -> None:
        """Harmless to repeat. 409: success after a failure that the same session reported."""
        store.state(admission.decoded(requests.StateReport, body))
        services.write_released()

    @router.post(
        _path(requests.CodeNameReport),
        status_code=204,
        summary="Report which platform a unit is",
        openapi_extra=takes(requests.CodeNameReport),
        responses=answers(None, *POSTED, REFUSED),
    )
    def code_name(body: Body) -> None:
        store.code_name(admission.decoded(requests.CodeNameReport, body))

    @router.post(
        _path(requests.MacReport),
        status_code=204,
        summary="Report MAC addresses",
        openapi_extra=takes(requests.MacReport),
        responses=answers(None, *POSTED, REFUSED),
    )
    def macs(body: Body) -> None:
        """Replaces what was reported before."""
        store.macs(admission.decoded(requests.MacReport, body))

    @router.post(
        _path(requests.Document),
        status_code=204,
        summary="Deliver a document",
        openapi_extra=takes(requests.Document),
        responses=answers(None, *POSTED, REFUSED),
    )
    def document(body: Body) -> None:
        """A QA document is held until the unit's first restore succeeded (FR_SUCCEEDED after MFG_SUCCEEDED), then
        written to the documents folder; discarded if that takes too long; refused of a machine that was not identified.
        Documents of other kinds are kept, to be read back. Harmless to repeat; a different document of the same name
        replaces one that is held or kept."""
        store.document(admission.decoded(requests.Document, body))

    return router


def _questions(services: Services) -> APIRouter:
    router = APIRouter(tags=["questions of units"])

    @router.get(f"/{requests.TIME}", summary="The server's time", responses=answers(TimeReply))
    def time() -> Response:
        return json_reply(TimeReply(services.now()))

    @router.post(
        _path(requests.CredentialRequest),
        summary="A unit's passwords",
        openapi_extra=takes(requests.CredentialRequest),
        responses=answers(Credentials, *POSTED, Outcome(403, "Not now, or not to this session: see refusal")),
    )
    def credentials(body: Body) -> Response:
        """Made at the first request; the same at every later one, unless a person has them made anew. Only for the
        session that reported MFG_STARTED, while that is the unit's state and not for long; sealed once a provisioning
        succeeded."""
        found = services.credentials.hand_out(services.admission.decoded(requests.CredentialRequest, body), body.peer)
        return json_reply(found, headers={"Cache-Control": "no-store"})

    return router


def _readback(services: Services) -> APIRouter:
    router = APIRouter(tags=["reading back"])
    queries = services.queries

    @router.get("/units", summary="Units, those with the latest reports first", responses=answers(UnitList, *ASKED))
    def units(
        limit: Annotated[int, Query(ge=1, le=1000)] = 100, offset: Annotated[int, Query(ge=0, le=10**9)] = 0
    ) -> Response:
        return json_reply(UnitList(queries.units(limit, offset)))

    @router.get(
        f"/{requests.UNIT}",
        summary="All about one unit but its log",
        responses=answers(UnitDetail, *ASKED, UNKNOWN_UNIT),
    )
    def unit(serial: Serial) -> Response:
        found = queries.unit(serial)
        if found is None:
            raise HTTPException(404, "no such unit")
        return json_reply(found)

    @router.get(
        f"/{requests.Document.path}",
        summary="A document that a unit delivered for people to read",
        responses=answers(KeptDocument, *ASKED, UNKNOWN_DOCUMENT),
    )
    def document(serial: Serial, name: Annotated[str, Query(min_length=1, max_length=MAX_NAME)]) -> Response:
        found = queries.kept_document(serial, name)
        if found is None:
            raise HTTPException(404, "no such document")
        return json_reply(found)

    @router.get(
        "/events",
        summary="The log of one unit, a page at a time",
        responses=answers(EventPage, *ASKED, UNKNOWN_UNIT),
    )
    def events(
        serial: Serial,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    ) -> Response:
        """`after`: the `seq` of the last event of the page before."""
        page = queries.events(serial, after, limit)
        if page is None:
            raise HTTPException(404, "no such unit")
        return json_reply(EventPage(page, page[-1].seq if len(page) == limit else None))

    return router
