"""HTTP around the API: reading a bounded body, and one shape for every error."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gprov.apps.server.vault import Withheld
from gprov.domain.errors import BadInput, DeviceFault, GprovError, Problem, RefusedByPolicy
from gprov.domain.factory.replies import encode_error
from gprov.domain.factory.syntax import MAX_BODY

# A browser sends this type to another site only after asking that site, so that a web page which somebody on the
# factory network looks at cannot post here.
_JSON = "application/json"


async def json_body(request: Request) -> bytes:
    """The body of a POST: JSON, at most ``MAX_BODY`` bytes, however it is sent."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise HTTPException(415, f"Content-Type must be {_JSON}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"a message has at most {MAX_BODY} bytes", {"Connection": "close"})
    return bytes(body)


def install_error_replies(app: FastAPI) -> None:
    @app.exception_handler(GprovError)
    def refused(_: Request, exc: GprovError) -> Response:
        refusal = exc.why if isinstance(exc, Withheld) else None
        return JSONResponse(encode_error(exc, refusal=refusal), status_of(exc))

    @app.exception_handler(RequestValidationError)
    def bad_query(_: Request, exc: RequestValidationError) -> Response:
        problems = [Problem(".".join(str(part) for part in error["loc"]), str(error["msg"])) for error in exc.errors()]
        return JSONResponse(encode_error(BadInput("query", problems)), 422)

    @app.exception_handler(HTTPException)
    def plain(_: Request, exc: HTTPException) -> Response:
        return JSONResponse(encode_error(str(exc.detail)), exc.status_code, exc.headers)

    @app.exception_handler(ClientDisconnect)
    def gone(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=400)  # read by nobody; spares the log a traceback


def status_of(error: GprovError) -> int:
    """4xx: the message must change. 5xx: the same message may be tried again."""
    match error:
        case BadInput():
            return 422
        case Withheld():
            return 403
        case RefusedByPolicy():
            return 409
        case DeviceFault():
            return 503
        case _:
            return 500
