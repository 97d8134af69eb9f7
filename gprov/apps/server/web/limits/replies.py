"""Replies of the outermost layers, in the format of all errors."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress

from starlette.types import Receive, Scope, Send

from gprov.domain.factory.messages import encode
from gprov.domain.factory.replies import error_reply

# Extension of the scope: uvicorn's state of the request.
CYCLE = "gprov.cycle"
# What a refused client still sends: it reads the reply only after that. Then the connection is closed.
_DRAIN_SECONDS, _DRAIN_BYTES = 2.0, 4 << 20


def client_of(scope: Scope) -> str:
    """Address of the peer; "" if it is not known."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def is_gone(scope: Scope) -> bool:
    """Whether the client has closed the connection (``LimitedProtocol`` says so)."""
    extension = scope.get("extensions", {}).get(CYCLE, {})
    return any(cycle.disconnected for cycle in extension.values())


def retry_after(wait_ns: int) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(wait_ns / 1e9)))}


async def refuse(send: Send, status: int, message: str, headers: dict[str, str] | None = None) -> None:
    """To a request whose body, if any, was received."""
    await send(_start(status, message, headers or {}))
    await send({"type": "http.response.body", "body": encode(error_reply(message))})


async def refuse_early(
    receive: Receive, send: Send, status: int, message: str, headers: dict[str, str] | None = None
) -> None:
    """To a request whose body may still be on its way: it is discarded for a short time, and the connection ends."""
    await send(_start(status, message, {**(headers or {}), "Connection": "close"}))
    await send({"type": "http.response.body", "body": encode(error_reply(message)), "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            drained = 0
            while drained < _DRAIN_BYTES:
                received = await receive()
                drained += len(received.get("body", b""))
                if not received.get("more_body", False):
                    break
    await send({"type": "http.response.body", "body": b""})


def _start(status: int, message: str, headers: dict[str, str]) -> dict[str, object]:
    body = encode(error_reply(message))
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    encoded = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    return {"type": "http.response.start", "status": status, "headers": encoded}
