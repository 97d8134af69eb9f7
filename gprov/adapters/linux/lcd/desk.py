"""What the thread of a display and its users exchange: the wanted view one way, keys the other. No call waits."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each import is time on every boot
    from collections.abc import Sequence

    from gprov.domain.display.keys import Key
    from gprov.domain.display.views import View
    from gprov.domain.formats.lcd.models import Model
    from gprov.ports.clock import Clock

# Keys that are not read: a person presses far fewer between two questions.
_MAX_KEYS = 32


class Wanted:
    """Never changes. ``since``: when the view was first shown, on the monotonic clock."""

    __slots__ = ("closing", "since", "view")

    def __init__(self, view: View | None, since: float, *, closing: bool) -> None:
        self.view = view
        self.since = since
        self.closing = closing


class Desk:
    """``wake``: a descriptor that is readable when something else is wanted; ``keys``: while there are keys.
    ``is_present``: whether the display answers; ``model``: which it is, then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wanted = Wanted(None, clock.monotonic(), closing=False)
        self._waiting: deque[Key] = deque(maxlen=_MAX_KEYS)
        self.wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.keys = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.is_present = False
        self.model: Model | None = None

    def show(self, view: View) -> None:
        """A view that continues the last one goes on from where that is. Keys that were pressed in another dialog, and
        not read yet, are discarded when a dialog opens."""
        from gprov.domain.display.render import continues
        from gprov.domain.lcd.keys import dialog_of, is_dialog

        with self._lock:
            before = self._wanted
            if view == before.view:
                return
            goes_on = before.view is not None and continues(before.view, view)
            since = before.since if goes_on else self._clock.monotonic()
            self._wanted = Wanted(view, since, closing=before.closing)
            if is_dialog(view) and dialog_of(view) != dialog_of(before.view):
                self._discard_keys()
        os.eventfd_write(self.wake, 1)

    def close(self) -> None:
        with self._lock:
            self._wanted = Wanted(self._wanted.view, self._wanted.since, closing=True)
        os.eventfd_write(self.wake, 1)

    def take_keys(self) -> Sequence[Key]:
        with self._lock:
            keys = tuple(self._waiting)
            self._discard_keys()
        return keys

    def _discard_keys(self) -> None:
        self._waiting.clear()
        _drain(self.keys)

    # What follows is used by the thread.

    def wanted(self) -> Wanted:
        """Returns what is wanted now; until it changes, ``wake`` is not readable."""
        with self._lock:
            _drain(self.wake)
            return self._wanted

    def put_key(self, key: Key, of: Wanted) -> None:
        """``of``: what was wanted when the key got its meaning. If another dialog was opened since, the key is
        discarded."""
        from gprov.domain.lcd.keys import dialog_of, is_dialog

        with self._lock:
            view = self._wanted.view
            if is_dialog(view) and dialog_of(view) != dialog_of(of.view):
                return
            self._waiting.append(key)
            os.eventfd_write(self.keys, 1)

    def release(self) -> None:
        """Close the descriptors. Only when neither side uses them any more."""
        os.close(self.wake)
        os.close(self.keys)


def _drain(eventfd: int) -> None:
    try:
        os.eventfd_read(eventfd)
    except BlockingIOError:
        return
