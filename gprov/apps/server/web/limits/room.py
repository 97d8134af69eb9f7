"""Room on the file system of the data folder."""

from __future__ import annotations

import os
from collections.abc import Callable

_ASK_AGAIN_NS = 10**9
# Part of the reserve that logs may use; the rest is for states, which are short.
_FOR_LOGS = 8


class Room:
    """``reserve``: bytes. ``now``: ns."""

    def __init__(self, folder: str, reserve: int, now: Callable[[], int]) -> None:
        self._folder = folder
        self._reserve = reserve
        self._now = now
        self._free = reserve
        self._asked_ns: int | None = None

    def for_new(self) -> bool:
        """For new units and documents."""
        return self._available() >= self._reserve

    def for_logs(self) -> bool:
        return self._available() >= self._reserve // _FOR_LOGS

    def _available(self) -> int:
        now_ns = self._now()
        if self._asked_ns is None or abs(now_ns - self._asked_ns) > _ASK_AGAIN_NS:
            found = os.statvfs(self._folder)
            self._free, self._asked_ns = found.f_bavail * found.f_frsize, now_ns
        return self._free
