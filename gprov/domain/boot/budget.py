"""``start_budget.json`` on RECOVERY: starts and restores in a row that came to nothing, and the pauses that follow.

Retries never end, since nobody may stand at the unit, but they become rare: pauses double until they last a day.
Damage to the file costs the counts, no more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from gprov.domain.formats.json.reading import finish, read_object

VERSION = 1
MOST = 1000
MAX_REASON_LENGTH = 300
DAY = 86400.0
# The first pause after a start that was given up.
GIVE_UP_SECONDS = 600.0
# Pause while nobody counts, since RECOVERY is missing or cannot be written.
UNCOUNTED_SECONDS = 1800.0
# Restores in a row that begin at once: power cuts come in groups.
FREE_RESTORES = 3
# What comes so long after a pause has ended is no repetition: the unit must have run, or been off, in between.
_SERIES_SECONDS = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBudget:
    """``given_up``: starts in a row that ended without a system. ``restores``: restores in a row that began without
    the system having run in between. ``last_ns``: when either was counted last, by the unit's clock. ``counted``: the
    boots of PRIMARY that the history knows already."""

    given_up: int = 0
    restores: int = 0
    last_ns: int = 0
    reason: str = ""
    counted: str = ""

    def at(self, now_ns: int) -> StartBudget:
        """What of it still counts. A clock that went back says nothing."""
        pause = max(give_up_pause(self.given_up), restore_pause(self.restores, GIVE_UP_SECONDS))
        over = now_ns - self.last_ns > (pause + _SERIES_SECONDS) * 1e9
        return StartBudget(counted=self.counted) if over else self

    def gave_up(self, now_ns: int, reason: str) -> StartBudget:
        count = min(self.given_up + 1, MOST)
        return replace(self, given_up=count, last_ns=now_ns, reason=_bounded(reason))

    def restore_began(self, now_ns: int, reason: str) -> StartBudget:
        count = min(self.restores + 1, MOST)
        return replace(self, restores=count, last_ns=now_ns, reason=_bounded(reason))

    def failed(self, reason: str) -> StartBudget:
        """The restore that was counted last failed for this reason."""
        return replace(self, reason=_bounded(reason))

    def only_this_one(self) -> StartBudget:
        """The system had run before the restore that was counted last."""
        return replace(self, restores=1, given_up=0)

    def restored(self) -> StartBudget:
        """A restore came to its end: there is a root again. That it boots is not known yet."""
        return replace(self, given_up=0, counted="")

    def system_ran(self) -> StartBudget:
        return StartBudget(counted=self.counted)


def give_up_pause(before: int) -> float:
    """Seconds from giving up to the next start, after so many that were given up in a row."""
    return _doubled(GIVE_UP_SECONDS, before)


def restore_pause(before: int, first: float) -> float:
    """Seconds to wait before a restore, after so many in a row. ``first``: the shortest pause."""
    return _doubled(first, before - FREE_RESTORES) if before >= FREE_RESTORES else 0.0


def parse_budget(what: str, data: bytes) -> StartBudget:
    """Raises BadInput; everything is then counted from zero."""
    root = read_object(what, data)
    if root.integer("Version", required=True, minimum=1) > VERSION:
        root.problem("Version", f"is newer than {VERSION}")
    budget = StartBudget(
        given_up=min(root.integer("GivenUp", minimum=0), MOST),
        restores=min(root.integer("Restores", minimum=0), MOST),
        last_ns=root.integer("LastTime"),
        reason=root.text("Reason")[:MAX_REASON_LENGTH],
        counted=root.text("CountedBoots")[:MAX_REASON_LENGTH],
    )
    return finish(what, root, budget)


def serialise_budget(budget: StartBudget) -> bytes:
    """Inverse of ``parse_budget``."""
    document = {
        "_comment": "gprov: starts and restores in a row that came to nothing; delete this file to begin anew",
        "Version": VERSION,
        "GivenUp": budget.given_up,
        "Restores": budget.restores,
        "LastTime": budget.last_ns,
        "Reason": budget.reason,
        "CountedBoots": budget.counted,
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def _bounded(text: str) -> str:
    """Names of devices and files may hold what no JSON text can."""
    return text.encode("utf-8", "replace").decode()[:MAX_REASON_LENGTH]


def _doubled(first: float, times: int) -> float:
    """Never longer than a day, unless the first is."""
    longest = max(first, DAY)
    return min(max(first, 1.0) * 2.0 ** min(max(times, 0), 30), longest) if times > 0 else first
