"""What simulated units show, looked up in the runbook: an oracle that reads no source."""

from __future__ import annotations

import re
from functools import cache

from typing_extensions import override

from gprov.apps.host.runbook.matching import Found, explain, expression
from gprov.apps.host.runbook.shown_line import shown_line
from gprov.domain.event_text import severity_of
from gprov.domain.events import Event, LogLine, OperationReport, Severity
from gprov.ports.events import EventSink
from tools.shown_texts.wording import is_prose

# Values that look like sentences and are none, or that only the simulated machine has.
DATA: dict[str, str] = {
    r"/dev/\w+ \([\d.]+ [GMT]B, \w+, .*\)": "description of a disk",
    r"/dev/\w+ (?:with|without|as) .*": "a disk and what it holds; 'with PRIMARY' and the others have entries",
    r".* \(RAID \d+, \d+ disks\) is .*": "description of an array; its parts have entries",
    r"going on without: .*": "an operation of the plan, behind its error",
    r"(?:.*: )?only a part was stored": "of the simulated machine; the kernel says Input/output error",
    r"its disk was detached": "of the simulated machine, behind input/output error",
    r"(?:.*: )?no such disk": "of the simulated machine; the kernel says No such device",
    r"(?:a partition is |is )?mounted at .*": "of the simulated machine, which names the mount point",
}


# A question mark, seconds of a key window or the number of further problems may follow a text.
_ADDED = 20


class Looked(EventSink):
    """Collects what a unit shows on displays, consoles and in its log, and the runbook has no entry for. ``seen``: all
    texts that were looked up."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self.seen: set[str] = set()

    def __deepcopy__(self, memo: dict[int, object]) -> Looked:
        """Copies of a unit report to the same."""
        return self

    @property
    @override
    def name(self) -> str:
        return "runbook"

    @override
    def publish(self, event: Event) -> None:
        if severity_of(event.body) is Severity.LOG:
            return
        match event.body:
            case LogLine(text):
                self.look(text)
            case OperationReport(description=description, error=error):
                self.look(description)
                self.look(error)
            case _:
                raise AssertionError(event)

    def look(self, text: str) -> None:
        self.seen.add(text)
        self.unknown.update(unknown_parts(text))

    @override
    def close(self) -> None:
        pass


@cache
def unknown_parts(text: str) -> tuple[str, ...]:
    """The text itself if it has no entry; else the sentences in it that have none, by the entry that leaves none or, if
    there is no such, by the one that is found first."""
    line = shown_line(text)
    if not line or is_data(line):
        return ()
    left = [_unknown_within(line, one) for one in explain(line) if one.is_whole]
    if not left:
        return _unknown_lines(text)
    return left[0] if all(left) else ()


def _unknown_within(line: str, found: Found) -> tuple[str, ...]:
    match = expression(" ".join(found.template.split())).fullmatch(found.text)
    if match is not None and line.startswith(found.text) and len(line) - len(found.text) < _ADDED:
        return tuple(part for value in match.groups() if is_prose(value) for part in unknown_parts(value))
    # Parts between semicolons, or a reason behind its subject.
    parts = line.split("; ") if "; " in line else [line.partition(": ")[2]]
    return tuple(part for one in parts for part in unknown_parts(one))


def _unknown_lines(text: str) -> tuple[str, ...]:
    lines = text.splitlines()
    return (text,) if len(lines) < 2 else tuple(part for line in lines for part in unknown_parts(line))


def is_data(text: str) -> bool:
    return any(re.fullmatch(pattern, text, re.DOTALL) for pattern in DATA)
