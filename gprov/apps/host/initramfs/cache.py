"""Content-addressed cache outside the checkout. Entries appear complete, by renaming.

$GPROV_CACHE (default ~/.cache/gprov)
    sources/  trees/  kernels/  initramfs/    entries by key
    work/                                     builds in progress; of no use after an interruption
    log/                                      full output of the last build of each key
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from gprov.apps.host.initramfs.hostfiles import os_errors_translated

_KEY_LENGTH = 24  # hexadecimal digits: 96 bits


def content_key(*facts: str | bytes) -> str:
    """Return a key that depends on the values, their number and their order."""
    digest = hashlib.sha256()
    for fact in facts:
        raw = fact.encode() if isinstance(fact, str) else fact
        digest.update(b"%d:" % len(raw) + raw)
    return digest.hexdigest()[:_KEY_LENGTH]


def default_root(environment: Mapping[str, str]) -> str:
    return environment.get("GPROV_CACHE") or os.path.expanduser("~/.cache/gprov")


class Cache:
    """The cache in one folder."""

    def __init__(self, root: str) -> None:
        self._root = os.path.abspath(root)

    def path(self, kind: str, key: str) -> str:
        """Return the path of an entry, existing or not. Creates its parent folder."""
        folder = os.path.join(self._root, kind)
        with os_errors_translated(folder):
            os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, key)

    def find(self, kind: str, key: str) -> str | None:
        """Return the path of a complete entry, or None. Sets its time of use."""
        path = self.path(kind, key)
        if not os.path.exists(path):
            return None
        with os_errors_translated(path):
            os.utime(path)
        return path

    def newest(self, kind: str, prefix: str) -> str | None:
        """Return the most recently used entry whose key begins with ``prefix``."""
        return next((entry.path for entry in self._by_age(kind) if entry.name.startswith(prefix)), None)

    def publish(self, kind: str, key: str, make: Callable[[str], None]) -> str:
        """Call ``make`` to create a file or folder at a temporary path, then rename it. The caller holds the lock."""
        path = self.path(kind, key)
        partial = self.path("work", f"{kind}-{key}")
        self.remove(partial)
        make(partial)
        with os_errors_translated(path):
            os.utime(partial)
            os.rename(partial, path)
        return path

    def remove(self, path: str) -> None:
        with os_errors_translated(path):
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.lexists(path):
                os.unlink(path)

    def keep_newest(self, kind: str, count: int) -> None:
        """Remove all but the ``count`` most recently used entries."""
        for entry in self._by_age(kind)[count:]:
            self.remove(entry.path)

    def _by_age(self, kind: str) -> list[os.DirEntry[str]]:
        """Return the entries, the most recently used first."""
        folder = os.path.dirname(self.path(kind, ""))
        with os_errors_translated(folder):
            return sorted(os.scandir(folder), key=lambda entry: entry.stat().st_mtime_ns, reverse=True)

    @contextmanager
    def lock(self, kind: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the exclusive lock of a kind. ``waiting`` is called if another process holds it; a lock ends with its
        process."""
        path = self.path("lock", kind)
        with os_errors_translated(path):
            file = open(path, "ab")  # noqa: SIM115 - closed below; errors of the body are not about this file
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
