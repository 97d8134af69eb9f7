"""The API: what units post, and what tools and pages read back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from gprov.apps.server import models
from gprov.apps.server.http import json_body
from gprov.apps.server.reading import Reading
from gprov.apps.server.release import Releases
from gprov.apps.server.store import Store
from gprov.apps.server.vault import Vault
from gprov.domain.errors import DeviceFault
from gprov.domain.factory import replies, requests
from gprov.domain.factory.requests import API
from gprov.domain.factory.syntax import MAX_SERIAL

log = logging.getLogger("gprov.server")

Body = Annotated[bytes, Depends(json_body)]
Serial = Annotated[str, Query(min_length=1, max_length=MAX_SERIAL)]
_ERRORS: dict[int | str, dict[str, Any]] = {
    413: {"model": models.ErrorOut, "description": "Too large"},
    415: {"model": models.ErrorOut, "description": "Not application/json"},
    422: {"model": models.ErrorOut, "description": "Not valid: all problems"},
    503: {"model": models.ErrorOut, "description": "The store failed; try again"},
}
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": models.ErrorOut, "description": "No such unit"}}
_CONFLICT: dict[int | str, dict[str, Any]] = {409: {"model": models.ErrorOut, "description": "Refused"}}


@dataclass(frozen=True)
class Services:
    """``now``: the server's clock, UTC, ns."""

    store: Store
    vault: Vault
    reading: Reading
    releases: Releases
    now: Callable[[], int]

    def write_releases(self) -> None:
        """What is due now; a failure is logged and tried again by the next sweep."""
        try:
            self.releases.write_due()
        except DeviceFault as fault:
            log.warning("%s", fault)


def api(services: Services) -> APIRouter:
    router = APIRouter(prefix=API)
    router.include_router(_reports(services))
    router.include_router(_questions(services))
    router.include_router(_readback(services))
    return router


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    """The request body for the description (the parser is the domain's)."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _reports(services: Services) -> APIRouter:
    router = APIRouter(tags=["reports of units"], responses=_ERRORS)
    store = services.store

    @router.post("/events", summary="Append to a unit's log", openapi_extra=_takes(models.EventsIn))
    def events(body: Body) -> models.StoredOut:
        """Harmless to repeat: an event is known by session and number. STATE events change the unit's state, unless
        their session also posts to `/state`."""
        stored = store.events(requests.decode_events(body))
        services.write_releases()
        return models.StoredOut(stored=stored)

    @router.post(
        "/state",
        status_code=204,
        summary="Report a unit's state",
        openapi_extra=_takes(models.StateIn),
        responses=_CONFLICT,
    )
    def state(body: Body) -> None:
        """Harmless to repeat. 409: success after a failure that the same session reported."""
        store.state(requests.decode_state(body))
        services.write_releases()

    @router.post(
        "/code-name",
        status_code=204,
        summary="Report which platform a unit is",
        openapi_extra=_takes(models.CodeNameIn),
    )
    def code_name(body: Body) -> None:
        store.code_name(requests.decode_code_name(body))

    @router.post("/macs", status_code=204, summary="Report MAC addresses", openapi_extra=_takes(models.MacsIn))
    def macs(body: Body) -> None:
        """Replaces what was reported before."""
        store.macs(requests.decode_macs(body))

    @router.post(
        "/document",
        status_code=204,
        summary="Deliver a QA document",
        openapi_extra=_takes(models.DocumentIn),
        responses=_CONFLICT,
    )
    def document(body: Body) -> None:
        """It is held until the unit's first restore succeeded (FR_SUCCEEDED after MFG_SUCCEEDED), then written to the
        documents folder; discarded if that takes too long. Harmless to repeat; a different document of the same name
        replaces one that is held."""
        store.document(requests.decode_document(body))

    return router


def _questions(services: Services) -> APIRouter:
    router = APIRouter(tags=["questions of units"])

    @router.get("/time", summary="What time is it?")
    def time() -> models.TimeOut:
        return models.TimeOut(time_ns=services.now())

    @router.post(
        "/credentials",
        summary="A unit's passwords",
        openapi_extra=_takes(models.CredentialsIn),
        responses={
            **_ERRORS,
            200: {"model": models.CredentialsOut},
            403: {"model": models.ErrorOut, "description": "Not now, or not to you: see refusal"},
        },
        response_class=Response,
    )
    def credentials(body: Body, request: Request) -> Response:
        """Made when first asked for, the same ever after. Only for the session that reported MFG_STARTED, while that is
        the unit's state and not for long; sealed once a provisioning succeeded."""
        peer = request.client.host if request.client else ""
        found = services.vault.hand_out(requests.decode_credential_request(body), peer)
        content = requests.to_bytes(replies.encode_credentials(found))
        return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})

    return router


def _readback(services: Services) -> APIRouter:
    router = APIRouter(tags=["reading back"])
    reading = services.reading

    @router.get("/units", summary="Units, most recently heard of first")
    def units(
        limit: Annotated[int, Query(ge=1, le=1000)] = 100, offset: Annotated[int, Query(ge=0, le=10**9)] = 0
    ) -> models.UnitsOut:
        found = reading.units(limit, offset)
        return models.UnitsOut(units=[models.UnitOut.model_validate(unit) for unit in found])

    @router.get("/unit", summary="All about one unit but its log", responses=_UNKNOWN)
    def unit(serial: Serial) -> models.UnitDetailOut:
        found = reading.unit(serial)
        if found is None:
            raise HTTPException(404, "no such unit")
        return models.UnitDetailOut.model_validate(found)

    @router.get("/events", summary="The log of one unit, a page at a time", responses=_UNKNOWN)
    def events(
        serial: Serial,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    ) -> models.EventsOut:
        """`after`: the `seq` of the last event that is known already."""
        found = reading.events(serial, after, limit)
        if found is None:
            raise HTTPException(404, "no such unit")
        page = [models.EventOut.model_validate(event) for event in found]
        return models.EventsOut(events=page, next=page[-1].seq if len(page) == limit else None)

    return router
