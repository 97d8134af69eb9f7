"""Pauses that a unit announces before it tries again. They do not count as time in which it hangs."""

from __future__ import annotations

import re

from typing_extensions import override

from gprov.domain.events import Event, LogLine
from gprov.ports.events import EventSink

_ANNOUNCED = re.compile(r"(?:Restarting|The next factory restore begins) in ([0-9.e+]+) (s|min|h); any key: at once")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


class AnnouncedPauses(EventSink):
    """``seconds``: sum of all announced pauses since it was last set to 0."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @property
    @override
    def name(self) -> str:
        return "announced pauses"

    @override
    def publish(self, event: Event) -> None:
        found = _ANNOUNCED.fullmatch(event.body.text) if isinstance(event.body, LogLine) else None
        if found:
            self.seconds += float(found[1]) * _SECONDS[found[2]]

    @override
    def close(self) -> None:
        """There is no buffer."""
