"""``start_budget.json`` on RECOVERY: counts consecutive boot failures and restores, and computes the pause before the
next attempt.

Units may be unattended, so the number of retries is not limited, but pauses double up to one day.
A damaged file resets the counts to zero.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from gprov.domain.formats.json.reading import finish, read_object

VERSION = 1
MAX_COUNT = 1000
MAX_REASON_LENGTH = 300
DAY = 86400.0
# Pause after the first boot failure.
GIVE_UP_SECONDS = 600.0
# Pause while counting is impossible, since RECOVERY is missing or not writable.
UNCOUNTED_SECONDS = 1800.0
# Consecutive restores that begin without a pause: power cuts come in groups.
RESTORES_WITHOUT_PAUSE = 3
# Counts expire this long after the end of a pause: the unit must have run, or been off, in between.
_SERIES_SECONDS = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBudget:
    """``given_up``: consecutive boot failures. ``restores``: consecutive restores without a running system in between.
    ``last_ns``: time of the last count, UTC nanoseconds since 1970 by the unit's clock. ``reason``: of the last
    failure. ``recorded_boots``: boot counts of PRIMARY that the image history already contains. ``emergency``: mark of
    the emergency file that the last counted restore was to use."""

    given_up: int = 0
    restores: int = 0
    last_ns: int = 0
    reason: str = ""
    recorded_boots: str = ""
    emergency: str = ""

    def at_time(self, now_ns: int) -> StartBudget:
        """Return the counts, reset if the last one is older than its pause plus one day. A clock that was set back does
        not reset them."""
        pause = max(give_up_pause(self.given_up), restore_pause(self.restores, GIVE_UP_SECONDS))
        expired = now_ns - self.last_ns > (pause + _SERIES_SECONDS) * 1e9
        return StartBudget(recorded_boots=self.recorded_boots) if expired else self

    def with_boot_failure(self, now_ns: int, reason: str) -> StartBudget:
        count = min(self.given_up + 1, MAX_COUNT)
        return replace(self, given_up=count, last_ns=now_ns, reason=_bounded(reason))

    def with_restore_started(self, now_ns: int, reason: str) -> StartBudget:
        count = min(self.restores + 1, MAX_COUNT)
        return replace(self, restores=count, last_ns=now_ns, reason=_bounded(reason))

    def with_emergency_file(self, mark: str) -> StartBudget:
        """A restore with this file follows. A file that was not tried last was plugged in by a person: a new series
        begins."""
        return self if mark == self.emergency else StartBudget(recorded_boots=self.recorded_boots, emergency=mark)

    def with_restore_error(self, reason: str) -> StartBudget:
        """Store why the last counted restore failed."""
        return replace(self, reason=_bounded(reason))

    def with_new_restore_series(self) -> StartBudget:
        """The system ran before the last counted restore: this restore is the first of a new series."""
        return replace(self, restores=1, given_up=0)

    def with_restore_completed(self) -> StartBudget:
        """A restore completed. Whether the restored system boots is not known yet, so ``restores`` stays."""
        return replace(self, given_up=0, recorded_boots="")

    def with_system_started(self) -> StartBudget:
        return StartBudget(recorded_boots=self.recorded_boots)


def give_up_pause(previous: int) -> float:
    """Seconds between a boot failure and the next boot, after ``previous`` consecutive boot failures."""
    return _exponential_pause(GIVE_UP_SECONDS, previous)


def restore_pause(previous: int, first: float) -> float:
    """Seconds before a restore, after ``previous`` consecutive restores. ``first``: the shortest pause."""
    if previous < RESTORES_WITHOUT_PAUSE:
        return 0.0
    return _exponential_pause(first, previous - RESTORES_WITHOUT_PAUSE)


def parse_budget(source: str, data: bytes) -> StartBudget:
    """``source`` names the file. Raises BadInput; the caller then counts from zero."""
    root = read_object(source, data)
    if root.integer("Version", required=True, minimum=1) > VERSION:
        root.problem("Version", f"is newer than {VERSION}")
    budget = StartBudget(
        given_up=min(root.integer("GivenUp", minimum=0), MAX_COUNT),
        restores=min(root.integer("Restores", minimum=0), MAX_COUNT),
        last_ns=root.integer("LastTime"),
        reason=root.text("Reason")[:MAX_REASON_LENGTH],
        recorded_boots=root.text("CountedBoots")[:MAX_REASON_LENGTH],
        emergency=root.text("EmergencyFile")[:MAX_REASON_LENGTH],
    )
    return finish(source, root, budget)


def serialise_budget(budget: StartBudget) -> bytes:
    """Inverse of ``parse_budget``."""
    document = {
        "_comment": "gprov: consecutive boot failures and restores; delete this file to reset the counts",
        "Version": VERSION,
        "GivenUp": budget.given_up,
        "Restores": budget.restores,
        "LastTime": budget.last_ns,
        "Reason": budget.reason,
        "CountedBoots": budget.recorded_boots,
        **({"EmergencyFile": budget.emergency} if budget.emergency else {}),
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def _bounded(text: str) -> str:
    """Replace lone surrogates, which JSON text cannot hold but names of files can, and limit the length."""
    return text.encode("utf-8", "replace").decode()[:MAX_REASON_LENGTH]


def _exponential_pause(first: float, doublings: int) -> float:
    """``first`` seconds, doubled ``doublings`` times, but at most one day (or ``first``, if that is longer)."""
    longest = max(first, DAY)
    return min(max(first, 1.0) * 2.0 ** min(max(doublings, 0), 30), longest) if doublings > 0 else first
