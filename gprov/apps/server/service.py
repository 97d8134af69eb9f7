"""Running the server as a process: socket, announcement, log on standard error, orderly end on SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import closing
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from gprov.apps.server.container import ServerContainer
from gprov.apps.server.store.database import sole_server
from gprov.apps.server.web.api import log
from gprov.domain.errors import DeviceFault

# For requests in progress at SIGTERM; clients resume downloads that are cut.
_GRACE_SECONDS = 3
# Standard output has the announcement and nothing else. Lines name method, path and status, never bodies.
_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "plain"}},
    "loggers": {
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "uvicorn.access": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "gprov.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}


class _Interruptible:
    """The application; replies that the server's end cancels are logged in a line; uvicorn would log a crash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            log.warning("the server ends: %r is cut short", scope.get("path", scope["type"]))


class _Announcing(uvicorn.Server):
    """Prints the address as soon as it listens."""

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(f"gprov server: listening on http://{shown}:{port}", flush=True)


def serve(container: ServerContainer) -> None:
    """Serve where the settings say, until SIGTERM or SIGINT. Raises DeviceFault (folder in use, address in use, store
    not usable), and what the provider of the key raises."""
    listen = container.settings().listen
    with (
        sole_server(container.folder()),
        closing(container.database()),
        closing(_listen(listen.host, listen.port)) as listener,
    ):
        config = uvicorn.Config(
            _Interruptible(container.app()),
            log_config=_LOGGING,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            lifespan="on",
        )
        server = _Announcing(config)
        # For a signal before uvicorn has set its handlers; and uvicorn raises the signal that ended it once more.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.handle_exit)
        server.run([listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as exc:
        raise DeviceFault(host, f"cannot listen: {exc.strerror}", errno=exc.errno) from exc
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as exc:
        listener.close()
        raise DeviceFault(f"{host} port {port}", f"cannot listen: {exc.strerror}", errno=exc.errno) from exc
    return listener
