"""Events as lines for the journal of systemd, or for a person at a terminal."""

from __future__ import annotations

import sys

from typing_extensions import override

from gprov.domain.event_text import percent, printable_lines, severity_of
from gprov.domain.events import Event, Progress, Severity
from gprov.ports.events import EventSink

# Of sd-daemon(3), "Logging".
_PRIORITIES = {Severity.LOG: 6, Severity.MSG: 5, Severity.WARNING: 4, Severity.ERROR: 3}
_WORDS = {Severity.LOG: "", Severity.MSG: "", Severity.WARNING: "Warning: ", Severity.ERROR: "ERROR: "}
_STEP = 10  # percent
# A fault that lasts is found in each round.
_AGAIN_SECONDS = 3600
_FAULTS = (Severity.WARNING, Severity.ERROR)


class JournalSink(EventSink):
    """``journal``: with priorities, and without the words for them; the same warning or error once in an hour. Of
    progress, every tenth."""

    def __init__(self, *, journal: bool) -> None:
        self._journal = journal
        self._shown = ("", -1)
        self._faults: dict[str, int] = {}

    @property
    @override
    def name(self) -> str:
        return "the output"

    @override
    def publish(self, event: Event) -> None:
        if isinstance(event.body, Progress) and not self._is_news(event.body):
            return
        severity = severity_of(event.body)
        if self._journal and severity in _FAULTS and not self._is_due(event):
            return
        head = f"<{_PRIORITIES[severity]}>" if self._journal else _WORDS[severity]
        for line in printable_lines(event.body):
            print(head + line, file=sys.stderr, flush=True)

    def _is_due(self, event: Event) -> bool:
        now = event.time_ns // 10**9
        self._faults = {text: at for text, at in self._faults.items() if 0 <= now - at < _AGAIN_SECONDS}
        text = "\n".join(printable_lines(event.body))
        is_due = text not in self._faults
        self._faults.setdefault(text, now)
        return is_due

    def _is_news(self, progress: Progress) -> bool:
        shown = (progress.task, percent(progress) // _STEP if progress.total else 0)
        is_news, self._shown = shown != self._shown, shown
        return is_news

    @override
    def close(self) -> None:
        pass
