"""Folders and files that only the server's user may read stay so, also if another program changes their mode."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from gprov.domain.errors import DeviceFault

_OTHERS = 0o077


def keep_private(folder: str, *, files: bool) -> Iterator[str]:
    """Take the rights of group and others on a folder away, with ``files`` also those on the files in it. Yields the
    paths that had any. Raises DeviceFault."""
    try:
        yield from _restrict(folder)
        for name in sorted(os.listdir(folder)) if files else ():
            yield from _restrict(os.path.join(folder, name))
    except OSError as exc:
        raise DeviceFault(str(exc.filename or folder), f"cannot be made private: {exc.strerror}") from exc


def _restrict(path: str) -> Iterator[str]:
    try:
        mode = os.lstat(path).st_mode
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            os.chmod(path, stat.S_IMODE(mode) & ~_OTHERS)
            yield path
    except FileNotFoundError:
        return  # SQLite removes its log when the last connection is closed
