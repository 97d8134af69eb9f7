"""The log on standard error: each record is one line, and a flood of one kind is counted instead of written."""

from __future__ import annotations

import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from gprov.domain.factory.limits.log_text import LineBudget, one_line, shown_target
from gprov.domain.factory.settings.limits import Limits

access = logging.getLogger("gprov.server.access")
# Lines of a traceback, which stand below their record and begin with this.
_BELOW = "    | "
_TRACEBACK_LINES = 60


class OneLine(logging.Formatter):
    """Time, level and message. Lines of a traceback cannot be taken for records."""

    def __init__(self, characters: int) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._characters = characters

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = one_line(record.message, self._characters)
        return super().formatMessage(record)

    @override
    def formatException(self, ei: Any) -> str:
        lines = super().formatException(ei).splitlines()
        shown = (
            lines
            if len(lines) <= _TRACEBACK_LINES
            else [*lines[: _TRACEBACK_LINES // 2], "…", *lines[-_TRACEBACK_LINES // 2 :]]
        )
        return "\n".join(_BELOW + one_line(line, self._characters) for line in shown)


class Budgeted(logging.StreamHandler[Any]):
    """Writes to standard error, except lines of a kind that has had too many. A kind is a message without its values,
    and for requests the class of the reply's status."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._budget = LineBudget(limits.log_lines_per_second)
        self.setFormatter(OneLine(limits.log_line_characters))

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held."""
        omitted = self._budget.take(_kind(record), time.monotonic_ns())
        if omitted is None:
            return
        if omitted:
            self._write_omitted(_kind(record), omitted)
        super().emit(record)

    def report(self) -> None:
        """Write how many lines were left out since."""
        self.acquire()
        try:
            for kind, count in self._budget.omitted().items():
                self._write_omitted(kind, count)
        finally:
            self.release()

    def _write_omitted(self, kind: str, count: int) -> None:
        text = f"{count} lines like this were left out: {kind}"
        super().emit(logging.LogRecord("gprov.server", logging.WARNING, "", 0, "%s", (text,), None))


def _kind(record: logging.LogRecord) -> str:
    kind = getattr(record, "kind", None)
    return kind if isinstance(kind, str) else str(record.msg)[:200]


class AccessLog:
    """The application; each reply is a line: who, method, path, status. Values in queries may be secrets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                _note(scope, message["status"])
            await send(message)

        await self._app(scope, receive, noting if scope["type"] == "http" else send)


def _note(scope: Scope, status: int) -> None:
    client = scope.get("client")
    peer = f"{client[0]}:{client[1]}" if client else "-"
    query = scope["query_string"]
    target = shown_target((scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1"))
    kind = f"requests with a status of {status // 100}xx"
    access.info(
        '%s - "%s %s HTTP/%s" %d', peer, scope["method"], target, scope["http_version"], status, extra={"kind": kind}
    )
