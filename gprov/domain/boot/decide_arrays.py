"""Decisions about arrays with missing members, which may hold the root (``gprov.domain.boot.decide``)."""

from __future__ import annotations

from collections.abc import Iterable

from gprov.domain.boot.decisions import Decision, KeepWaiting, StartArray, SurveyTargets, wait_or_give_up
from gprov.domain.boot.facts import BootFacts
from gprov.domain.disk.arrays import FoundArray
from gprov.domain.disk.model import Volume


def start_degraded_array(facts: BootFacts, arrays: tuple[FoundArray, ...]) -> Decision | None:
    """Wait for missing members, then start the array degraded. None if no array can run without them.

    Arrays with a start error are skipped: the search for the root retries them.
    """
    startable = [array for array in arrays if array.startable and not array.start_error]
    if not startable:
        return None
    until = min(facts.arguments.array_wait, facts.arguments.root_deadline)
    if facts.elapsed < until:
        return KeepWaiting(_describe_arrays(startable), until)
    if len(startable) == 1:
        return StartArray(startable[0], f"no further member within {until:g} s")
    if facts.targets is None:
        return SurveyTargets()
    own = [array for array in startable if array.name == facts.targets.array]
    if len(own) == 1:
        return StartArray(own[0], "only this of several incomplete arrays belongs to the unit")
    return wait_or_give_up(facts, f"more than one incomplete array could hold the root: {_describe_arrays(startable)}")


def wait_for_own_array(facts: BootFacts, volume: Volume, arrays: tuple[FoundArray, ...]) -> Decision | None:
    """The unit's own array is incomplete and another volume matches: wait for the array, since the volume may be on a
    disk of another unit. None if no own array waits."""
    startable = [array for array in arrays if array.startable and not array.start_error]
    if not startable:
        return None
    if facts.targets is None:
        return SurveyTargets()
    if volume.array in facts.targets.own_arrays:
        return None
    return start_degraded_array(facts, tuple(array for array in startable if array.name == facts.targets.array))


def _describe_arrays(arrays: Iterable[FoundArray]) -> str:
    return ", and ".join(array.describe() for array in arrays)
