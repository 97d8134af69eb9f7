"""Opens paths so that symbolic links cannot leave the given root folders (openat2(2), RESOLVE_IN_ROOT).

A restored image may contain ``/var/log -> /x`` or ``etc -> ../../mnt/RECOVERY``. On the running system such links stay
within its own tree; below a mount point they would lead to the initramfs or to another volume. The kernel therefore
resolves links as if that mount point were the root.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from gprov.adapters.linux.ioctl import libc

_PATH_ONLY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class ConfinedPaths:
    """``roots``: folders that links in paths below them cannot leave. Other paths are resolved as usual."""

    def __init__(self, roots: Iterable[str] = ()) -> None:
        # The innermost first: a volume may be mounted within another.
        self._roots = tuple(sorted((root.rstrip("/") for root in roots), key=len, reverse=True))

    def open(self, path: str, flags: int) -> int:
        """A file descriptor for ``path``, links followed. Raises OSError."""
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
        """A path for the last component of ``path``, which may itself be a link: its folder is resolved and kept open
        meanwhile. Raises OSError if there is no such folder, or if the last component is ``.`` or ``..``."""
        folder, name = os.path.split(path.rstrip("/"))
        if name in (".", ".."):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        fd = self.open(folder or ("/" if path.startswith("/") else "."), _PATH_ONLY)
        try:
            yield f"/proc/self/fd/{fd}/{name}"
        finally:
            os.close(fd)

    def _split(self, path: str) -> tuple[str, str]:
        """The root that contains a path, and the path within it; "" and the path if there is none."""
        for root in self._roots:
            if path == root or path.startswith(f"{root}/"):
                return root, path[len(root) :].strip("/") or "."
        return "", path
