"""What the server hears of an action before its end: each text once, and not more of them than a server keeps."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.records import StateFile
from gprov.apps.update.server import DdiServer
from gprov.domain.errors import DeviceFault, NetworkFault

# Of one action. hawkBit keeps 1000 by default, and refuses more.
MOST_REPORTS = 100
# Steps of the progress of a download, of which each is a report.
STEPS = 10
_MIB = 1 << 20


class Reports:
    """That the server does not hear of them is no reason to stop."""

    def __init__(self, server: DdiServer, bus: EventBus) -> None:
        self._server = server
        self._bus = bus
        self._told: dict[str, str] = {}

    def tell(self, record: StateFile, action: str, text: str) -> None:
        """The server, and people at the unit, once for each change. Raises DeviceFault."""
        if self._is_news("state", f"{action} {text}"):
            self._bus.message(f"action {action}: {text}")
            if self._counted(record, action):
                self._deliver(action, text, None)

    def progress(self, record: StateFile, stem: str, done: int, size: int) -> None:
        """Of the download of an image; in bytes. Raises DeviceFault."""
        state = record.value
        if state is not None and self._is_news("download", f"{state.action} {done * STEPS // size}"):
            parts, whole = done // _MIB, -(-size // _MIB)
            if self._counted(record, state.action):
                self._deliver(state.action, f"downloading {stem}: {parts} of {whole} MiB", (parts, whole))

    def fault(self, action: str, fault: DeviceFault) -> None:
        """What keeps the unit from going on, and can perhaps not be recorded."""
        if self._is_news("fault", f"{action} {fault}"):
            self._deliver(action, f"cannot go on: {fault}", None)

    def _is_news(self, kind: str, text: str) -> bool:
        is_news, self._told[kind] = self._told.get(kind) != text, text
        return is_news

    def _counted(self, record: StateFile, action: str) -> bool:
        """Whether the server is sent one more."""
        state = record.value
        if state is None or state.action != action:
            return True
        if state.reports >= MOST_REPORTS:
            return False
        record.record(replace(state, reports=state.reports + 1))
        return True

    def _deliver(self, action: str, text: str, progress: tuple[int, int] | None) -> None:
        try:
            self._server.report(action, [text], progress)
        except NetworkFault as fault:
            self._bus.warning(f"not reported: {fault}")
