"""uvicorn's server with connections and an application within bounds."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from itertools import chain, repeat

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.config import STARTUP_FAILURE

from gprov.apps.server.web.limits.acceptor import Acceptor, Connections
from gprov.apps.server.web.limits.bodies import BoundedBodies
from gprov.apps.server.web.limits.descriptors import connections_within_limits
from gprov.apps.server.web.limits.heads import CheckedHeads
from gprov.apps.server.web.limits.log_lines import AccessLog
from gprov.apps.server.web.limits.protocol import LimitedProtocol
from gprov.domain.factory.limits.hosts import AllowedHosts
from gprov.domain.factory.requests import API, Document, ErasureRegistration, EventBatch
from gprov.domain.factory.settings.limits import Limits
from gprov.domain.factory.syntax import MAX_BODY

# Of all requests but those below: states, requests for passwords, forms of pages.
_SMALL_BODY = 64 << 10
_LARGE = {f"{API}/{request.path}": MAX_BODY for request in (EventBatch, Document, ErasureRegistration)}


def within_limits(app: ASGIApp, limits: Limits, hosts: AllowedHosts, now: Callable[[], int]) -> ASGIApp:
    """The application behind its bounds. It expects ``LimitedServer``."""
    return AccessLog(CheckedHeads(BoundedBodies(app, limits, _LARGE, _SMALL_BODY), limits, hosts, now))


class LimitedServer(uvicorn.Server):
    """Accepts connections by its own means. ``contexts``: of TLS, one for each socket; None or missing: none."""

    def __init__(self, config: uvicorn.Config, limits: Limits, contexts: Sequence[ssl.SSLContext | None] = ()) -> None:
        super().__init__(config)
        self._limits = limits
        self._contexts = contexts

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but for the protocol and how it gets its connections."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        connections = Connections(self._protocol, self._limits, connections_within_limits(self._limits.connections))
        self.servers = []
        listeners = sockets or []
        contexts = chain(self._contexts, repeat(None))
        for listener, context in zip(listeners, contexts, strict=False):
            acceptor = Acceptor(listener, connections, context)
            acceptor.start(self.config.backlog)
            self.servers.append(acceptor)  # type: ignore[arg-type]  # it is ended by the same methods
        self.started = True

    def _protocol(self) -> LimitedProtocol:
        loop = asyncio.get_running_loop()
        return LimitedProtocol(self.config, self.server_state, self.lifespan.state, loop, self._limits)
