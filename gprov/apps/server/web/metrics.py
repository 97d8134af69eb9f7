"""Counts and times of the server for Prometheus. Labels are routes, methods and states: nothing that a client chooses,
no serial number."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "other"


class Metrics:
    """``queue``: how many requests wait for the store."""

    def __init__(self, queue: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "gprov_requests", "Requests that were answered", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "gprov_request_seconds",
            "From the head of a request to the start of its reply",
            ["route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._events = Counter("gprov_events_stored", "Events of units that were stored", registry=self._registry)
        self._units = Gauge("gprov_units", "Units in the store", ["state"], registry=self._registry)
        self._free = Gauge("gprov_free_bytes", "Room on the disk of the data folder", registry=self._registry)
        self._swept = Gauge(
            "gprov_sweep_success_timestamp_seconds",
            "When due work was last done without a failure: UTC, since 1970",
            registry=self._registry,
        )
        waiting = Gauge("gprov_store_waiting_requests", "Batches of events not yet stored", registry=self._registry)
        waiting.set_function(queue)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method if method in _METHODS else _OTHER, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def stored(self, events: int) -> None:
        self._events.inc(events)

    def swept(self) -> None:
        self._swept.set_to_current_time()

    def text(self, units: dict[str, int], free_bytes: int) -> bytes:
        """In Prometheus's format. ``units``: how many by state."""
        self._units.clear()
        for state, count in units.items():
            self._units.labels(state).set(count)
        self._free.set(free_bytes)
        return generate_latest(self._registry)


class Measured:
    """The application, with its requests counted."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.answered(scope["method"], _route(scope), message["status"], time.perf_counter() - begin)
            await send(message)

        await self._app(scope, receive, counted)


def _route(scope: Scope) -> str:
    """The path with names in place of values; what has no route of its own is one."""
    if scope.get("root_path"):
        return str(scope["root_path"])  # of an application inside this one, such as /files
    template = getattr(scope.get("route"), "path", None)
    if not isinstance(template, str) or ("{" in template and ":path}" in template):
        return _OTHER
    # The template of a route inside a router lacks the prefix of that, which is a part of the path as it was asked for.
    asked = str(scope["path"]).split("/")
    prefix = asked[: max(0, len(asked) - len(template.split("/")) + 1)]
    named = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(named.get(part, part) for part in prefix) + template
