"""Milestones and states as JSON lines on the console of a verbose unit, for measurements by the lab."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from typing_extensions import override

from gprov.domain.events import Event, Milestone, StateChange
from gprov.ports.events import EventSink

TAG = "GPROV-EVENT"


class MilestoneSink(EventSink):
    """One line each: ``GPROV-EVENT {"milestone": "handover", "uptime": 3.2}``; states likewise.

    If the console cannot be written, lines are lost and no error is raised.
    """

    def __init__(self, path: str = "/dev/console") -> None:
        self._path = path

    @property
    @override
    def name(self) -> str:
        return f"milestones on {self._path}"

    @override
    def publish(self, event: Event) -> None:
        body = event.body
        if isinstance(body, Milestone):
            self._write({"milestone": body.name, "uptime": round(body.uptime, 3)})
        elif isinstance(body, StateChange):
            self._write({"state": body.state.value})

    @override
    def close(self) -> None:
        """Nothing is buffered."""

    def _write(self, record: dict[str, str | float]) -> None:
        # The line starts anew: whatever was printed before it may not have ended.
        line = f"\r\n{TAG} {json.dumps(record)}\r\n".encode()
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
