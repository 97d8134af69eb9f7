"""Paths into trees that somebody else filled: whatever links they hold, nobody is led out of them.

A restored image may hold ``/var/log -> /x`` or ``etc -> ../../mnt/RECOVERY``. On the running system such links lead to
places in its own tree; for us, who see the tree below a mount point, they would lead to the initramfs or to another
volume. So the kernel follows links as if that mount point were the root (openat2(2), RESOLVE_IN_ROOT).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from gprov.adapters.linux.ioctl import libc

_PATH_ONLY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class ClosedTrees:
    """``roots``: the folders whose trees are closed. Paths elsewhere are taken as the kernel takes them."""

    def __init__(self, roots: Iterable[str] = ()) -> None:
        # The innermost first: a volume may be mounted within another.
        self._roots = tuple(sorted((root.rstrip("/") for root in roots), key=len, reverse=True))

    def open(self, path: str, flags: int) -> int:
        """A file descriptor of what ``path`` leads to, links followed. Raises OSError."""
        root, inner = self._split(path)
        if not root:
            return os.open(path, flags | os.O_CLOEXEC)
        fd = os.open(root, _PATH_ONLY)
        try:
            return libc.open_in_root(fd, inner, flags)
        finally:
            os.close(fd)

    @contextmanager
    def entry(self, path: str) -> Iterator[str]:
        """A name for the entry that ``path`` ends with, which may be a link itself: its folder is resolved and held
        open meanwhile. Raises OSError if there is no such folder, or if the last component is none of its entries."""
        folder, name = os.path.split(path.rstrip("/"))
        if name in (".", ".."):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        fd = self.open(folder or ("/" if path.startswith("/") else "."), _PATH_ONLY)
        try:
            yield f"/proc/self/fd/{fd}/{name}"
        finally:
            os.close(fd)

    def _split(self, path: str) -> tuple[str, str]:
        """The root of the tree that a path is in and the path within it; "" and the path if it is in none."""
        for root in self._roots:
            if path == root or path.startswith(f"{root}/"):
                return root, path[len(root) :].strip("/") or "."
        return "", path
