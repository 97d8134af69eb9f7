"""HTTP around the API: bodies of requests, JSON replies, and one format for every error."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gprov.apps.server.access.unit_gate import StartRefused
from gprov.apps.server.secrets.credentials import CredentialsRefused
from gprov.domain.errors import BadInput, DeviceFault, GprovError, Problem, RefusedByPolicy
from gprov.domain.factory.limits.refusals import NoRoom, TooMany
from gprov.domain.factory.messages import encode
from gprov.domain.factory.replies import error_reply
from gprov.domain.factory.syntax import MAX_BODY

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# A browser sends this type to another site only with that site's permission (CORS), which is never given here: a web
# page that is open on the factory network cannot post.
_JSON = "application/json"
# Faults name files and statements of the server: clients get these sentences instead.
_ABOUT_THE_SERVER = {
    503: "a device or the store of the server failed (its log says which); try again",
    500: "the server failed (its log says how)",
}
log = logging.getLogger("gprov.server")


@dataclass(frozen=True, slots=True)
class Received:
    """The body of a request, and the address of its client."""

    data: bytes = field(repr=False)
    peer: str


async def json_body(request: Request) -> Received:
    """The body of a POST: JSON, at most ``MAX_BODY`` bytes, however it is sent."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise HTTPException(415, f"Content-Type must be {_JSON}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"a message has at most {MAX_BODY} bytes", {"Connection": "close"})
    return Received(bytes(body), request.client.host if request.client else "")


def json_reply(message: DataclassInstance, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(message), status, headers, _JSON)


def install_error_replies(app: FastAPI) -> None:
    @app.exception_handler(GprovError)
    def refused(_: Request, exc: GprovError) -> Response:
        refusal = exc.why if isinstance(exc, CredentialsRefused | StartRefused) else None
        status = status_of(exc)
        headers = {"Retry-After": str(math.ceil(exc.wait_ns / 1e9))} if isinstance(exc, TooMany) else None
        if status in _ABOUT_THE_SERVER:
            log.warning("%s", exc)
            return json_reply(error_reply(_ABOUT_THE_SERVER[status]), status, headers)
        return json_reply(error_reply(exc, refusal=refusal), status, headers)

    @app.exception_handler(RequestValidationError)
    def bad_query(_: Request, exc: RequestValidationError) -> Response:
        problems = [Problem(".".join(str(part) for part in error["loc"]), str(error["msg"])) for error in exc.errors()]
        return json_reply(error_reply(BadInput("query", problems)), 422)

    @app.exception_handler(HTTPException)
    def plain(_: Request, exc: HTTPException) -> Response:
        return json_reply(error_reply(str(exc.detail)), exc.status_code, exc.headers)

    @app.exception_handler(Exception)
    def defect(_: Request, __: Exception) -> Response:
        """Its traceback is in the log."""
        return json_reply(error_reply(_ABOUT_THE_SERVER[500]), 500)

    @app.exception_handler(ClientDisconnect)
    def gone(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=400)  # the client is gone: this keeps a traceback out of the log


def status_of(error: GprovError) -> int:
    """4xx: the message must change (429: later the same may be sent). 5xx: the same message may be tried again."""
    match error:
        case BadInput():
            return 422
        case CredentialsRefused() | StartRefused():
            return 403
        case RefusedByPolicy():
            return 409
        case TooMany():
            return 429
        case NoRoom():
            return 507
        case DeviceFault():
            return 503
        case _:
            return 500
