"""How often a unit began provisioning without ending it, from what the server knows of its states."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

from gprov.domain.events import ProcessState


def unfinished_runs(newest_first: Iterable[tuple[ProcessState, int]]) -> int:
    """``newest_first``: states that were applied, with the number of the session that reported each. Returns how many
    sessions at its beginning reported MFG_STARTED and nothing else."""
    started = takewhile(lambda report: report[0] is ProcessState.MFG_STARTED, newest_first)
    return len({session for _, session in started})
