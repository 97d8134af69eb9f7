"""Between two looks of a start: waiting for devices and for a person's keys."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from gprov.apps.unit.devices.volumes import RESCAN_SECONDS
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.decisions import KeepWaiting
from gprov.domain.boot.facts import BootFacts
from gprov.ports.block import BlockDevices, DeviceChanges
from gprov.ports.operator import Operator

# How long one look at the keys may keep us from looking at the devices.
KEY_SECONDS = 0.2
# How soon a keyboard that comes late is noticed.
_PERSON_SECONDS = 1.0


class Watch:
    """``key_window``: for how many seconds of the start a person may press a key for the menu. ``elapsed``, wherever
    it is asked for: seconds of the start so far."""

    def __init__(self, blocks: BlockDevices, operator: Operator, key_window: float, bus: EventBus) -> None:
        self._blocks = blocks
        self._operator = operator
        self._key_window = key_window
        self._bus = bus
        # Nothing has changed since the last search, which was at ``_searched``.
        self._quiet = False
        self._searched = 0.0
        self._subscriptions = ExitStack()
        self._changes: DeviceChanges | None = None
        self._waiting_for = ""

    def no_more_keys(self) -> None:
        """A person has left the menu: this start has no second one."""
        self._key_window = 0.0

    def attended(self, elapsed: float, before: bool) -> bool:
        """Is somebody there who may press a key? Asked again until somebody is (``before``: was, at the last look):
        keyboards on USB come late."""
        if not self._keys_count(elapsed):
            return False
        if not before and self._operator.present:
            self._operator.show(f"Press any key for the boot menu ({self._key_window - elapsed:.0f} s)")
            return True
        return before

    def search_due(self, elapsed: float) -> bool:
        """Look at all devices now? Not each time that keys are looked at, while no device changes."""
        quiet, self._quiet = self._quiet, False
        if quiet and self._keys_count(elapsed) and elapsed - self._searched < RESCAN_SECONDS:
            return False
        self._searched = elapsed
        return True

    def subscribe(self) -> None:
        """Hear of every device that changes from now on, if that is not so already."""
        if self._changes is None:
            self._changes = self._subscriptions.enter_context(self._blocks.changes())

    def wait(self, decision: KeepWaiting, facts: BootFacts) -> BootFacts:
        """Until a device changes, a key is pressed or the decision's time has come."""
        if decision.reason != self._waiting_for:
            self._waiting_for = decision.reason
            self._bus.log(f"waiting: {decision.reason}")
        if self._changes is None:
            # Subscribed late, since a normal boot finds everything at its first look. Look once more before waiting:
            # what came before the subscription sends no event.
            self.subscribe()
            return facts
        remaining = max(0.0, decision.until - facts.elapsed)
        awaited = self._keys_count(facts.elapsed)
        if facts.operator_present:
            pressed = self._operator.key_pressed(min(remaining, KEY_SECONDS))
            facts, remaining = replace(facts, key_pressed=pressed), 0.0
        changed = self._changes.wait(min(remaining, _PERSON_SECONDS if awaited else RESCAN_SECONDS))
        self._quiet = not changed
        return replace(facts, targets=None) if changed else facts

    def close(self) -> None:
        """Hear of nothing any more."""
        self._subscriptions.close()
        self._changes = None

    def _keys_count(self, elapsed: float) -> bool:
        """May a person still press a key for the menu?"""
        return elapsed < self._key_window
