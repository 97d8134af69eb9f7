"""Waiting during a boot: for device changes, and for key presses of the operator."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from gprov.apps.unit.devices.volumes import RESCAN_SECONDS
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.decisions import KeepWaiting
from gprov.domain.boot.facts import BootFacts
from gprov.ports.block import BlockDevices, DeviceChanges
from gprov.ports.operator import Operator

# Time to wait for a key before devices are polled again.
KEY_SECONDS = 0.2
# A keyboard that appears late, or a display that is lost, is noticed after at most this time.
_OPERATOR_POLL_SECONDS = 0.2


class BootWaiter:
    """``key_window``: seconds from the beginning of the boot during which a key press opens the boot menu. ``elapsed``
    in all methods: seconds since the beginning of the boot."""

    def __init__(self, blocks: BlockDevices, operator: Operator, key_window: float, bus: EventBus) -> None:
        self._blocks = blocks
        self._operator = operator
        self._key_window = key_window
        self._bus = bus
        # True: no device has changed since the last search, which was at ``_searched``.
        self._unchanged = False
        self._polling = False
        self._searched = 0.0
        self._subscriptions = ExitStack()
        self._changes: DeviceChanges | None = None
        self._waiting_for = ""

    def end_key_window(self) -> None:
        """The operator has left the menu: it opens only once per boot."""
        self._key_window = 0.0

    def is_operator_present(self, elapsed: float, was_present: bool) -> bool:
        """Can a person press a key within the key window? Asked again and again: USB keyboards appear late, and a start
        does not wait for keys of a display that is lost. ``was_present``: the last answer."""
        if not self._key_window_open(elapsed):
            return False
        present = self._operator.is_present
        if present and not was_present:
            self._operator.show_key_window("Press any key for the boot menu", self._key_window - elapsed)
        return present

    def search_due(self, elapsed: float) -> bool:
        """Must all devices be scanned now? Not after every poll, if no device has changed."""
        unchanged, self._unchanged = self._unchanged, False
        polling = self._polling or self._key_window_open(elapsed)
        if unchanged and polling and elapsed - self._searched < RESCAN_SECONDS:
            return False
        self._searched = elapsed
        return True

    def subscribe(self) -> None:
        """Subscribe to device changes, unless this was done before."""
        if self._changes is None:
            self._changes = self._subscriptions.enter_context(self._blocks.changes())

    def wait(self, decision: KeepWaiting, facts: BootFacts, poll: float | None = None) -> BootFacts:
        """Until a device changes, a key is pressed or the decision's time has come. ``poll``: at most so many
        seconds."""
        if decision.reason != self._waiting_for:
            self._waiting_for = decision.reason
            self._bus.log(f"waiting: {decision.reason}")
        if self._changes is None:
            # Subscribed only now, since a normal boot finds everything in its first scan. Scan once more before
            # waiting: changes before the subscription send no event.
            self.subscribe()
            return facts
        self._polling = poll is not None
        remaining = max(0.0, decision.until - facts.elapsed)
        if poll is not None:
            remaining = min(remaining, poll)
        key_window_open = self._key_window_open(facts.elapsed)
        if facts.operator_present:
            pressed = self._operator.key_pressed(min(remaining, KEY_SECONDS))
            facts, remaining = replace(facts, key_pressed=pressed), 0.0
        changed = self._changes.wait(min(remaining, _OPERATOR_POLL_SECONDS if key_window_open else RESCAN_SECONDS))
        self._unchanged = not changed
        return replace(facts, targets=None) if changed else facts

    def close(self) -> None:
        """End the subscription."""
        self._subscriptions.close()
        self._changes = None

    def _key_window_open(self, elapsed: float) -> bool:
        return elapsed < self._key_window
