"""Removing folders with all they hold: never through a link, never onto another file system."""

from __future__ import annotations

import errno
import os
import stat

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Each level holds a file descriptor; nothing that gprov removes is anywhere near as deep.
_DEEPEST = 200


def remove_tree(path: str) -> None:
    """Remove a file, a link or a folder with its content. Raises OSError: EBUSY if something is mounted in it (and
    then nothing below that mount point was touched), ELOOP if it is nested deeper than 200 levels."""
    folder, name = os.path.split(path.rstrip("/"))
    fd = os.open(folder or ".", _FOLDER & ~os.O_NOFOLLOW)
    try:
        _remove(fd, name, os.fstat(fd).st_dev, 0, keep_mounts=False)
    finally:
        os.close(fd)


def empty_folder(fd: int) -> None:
    """Remove what the open folder holds, except mount points and the folders that lead to them."""
    device = os.fstat(fd).st_dev
    for name in os.listdir(fd):
        _remove(fd, name, device, 0, keep_mounts=True)


def _remove(folder: int, name: str, device: int, depth: int, *, keep_mounts: bool) -> bool:
    """True if it is gone, False if a mount point kept it."""
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(name, dir_fd=folder)
        return True
    if status.st_dev != device:
        if keep_mounts:
            return False
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), name)
    if depth >= _DEEPEST:
        raise OSError(errno.ELOOP, "folders nested too deeply", name)
    inner = os.open(name, _FOLDER, dir_fd=folder)
    try:
        kept = [
            child
            for child in os.listdir(inner)
            if not _remove(inner, child, device, depth + 1, keep_mounts=keep_mounts)
        ]
    finally:
        os.close(inner)
    if kept:
        return False
    os.rmdir(name, dir_fd=folder)
    return True
