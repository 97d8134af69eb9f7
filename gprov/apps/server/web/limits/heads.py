"""What is refused by the head of a request: names of other servers, bodies without a length, too many requests."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from gprov.apps.server.web.limits.replies import client_of, refuse_early, retry_after
from gprov.domain.factory.limits.hosts import AllowedHosts, head_problem, target_problem
from gprov.domain.factory.limits.peers import peer_group
from gprov.domain.factory.limits.rates import RateLimiter
from gprov.domain.factory.settings.limits import Limits


class CheckedHeads:
    """The application, for requests whose head is accepted. ``now``: UTC, ns."""

    def __init__(self, app: ASGIApp, limits: Limits, hosts: AllowedHosts, now: Callable[[], int]) -> None:
        self._app = app
        self._hosts = hosts
        self._now = now
        self._rates = RateLimiter(limits.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        target = scope["raw_path"] + b"?" + scope["query_string"]
        problem = head_problem(scope["http_version"], scope["headers"], self._hosts) or target_problem(target)
        if problem is not None:
            await refuse_early(receive, send, problem.status, problem.message)
            return
        wait = self._rates.take(peer_group(client_of(scope)), self._now())
        if wait:
            await refuse_early(receive, send, 429, "too many requests from this address", retry_after(wait))
            return
        await self._app(scope, receive, send)
