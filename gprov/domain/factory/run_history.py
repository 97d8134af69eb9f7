"""How often a unit began provisioning without ending it, from what the server knows of its states."""

from __future__ import annotations

from itertools import takewhile

from gprov.domain.events import ProcessState
from gprov.domain.factory.states import Verdict
from gprov.domain.formats.json.reading import finish, read_object

_STATES = {state.value: state for state in ProcessState}


def decode_unfinished_runs(data: bytes) -> int:
    """``data``: the server's reply about one unit, of which ``states`` is read, oldest first. Returns the number of
    sessions at the end of it that reported MFG_STARTED and nothing else. Raises BadInput."""
    root = read_object("unit", data)
    reports = [
        (entry.one_of("state", _STATES, ProcessState.UNKNOWN, required=True), entry.integer("session", required=True))
        for entry in root.objects("states", required=True)
        if entry.text("verdict", required=True) == Verdict.APPLIED.value
    ]
    started = takewhile(lambda report: report[0] is ProcessState.MFG_STARTED, reversed(reports))
    return finish("unit", root, len({session for _, session in started}))
