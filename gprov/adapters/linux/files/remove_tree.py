"""Removes folders with their content, without following links or entering other file systems."""

from __future__ import annotations

import errno
import os
import stat

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Each level holds a file descriptor; nothing that gprov removes is anywhere near as deep.
_MAX_DEPTH = 200


def remove_tree(path: str) -> None:
    """Remove a file, a link or a folder with its content. Raises OSError: EBUSY if something is mounted in it (content
    of that mount is not touched), ELOOP if folders are nested deeper than 200 levels."""
    folder, name = os.path.split(path.rstrip("/"))
    fd = os.open(folder or ".", _FOLDER & ~os.O_NOFOLLOW)
    try:
        _remove(fd, name, os.fstat(fd).st_dev, 0, keep_mounts=False)
    finally:
        os.close(fd)


def empty_folder(fd: int) -> None:
    """Remove the content of an open folder, except mount points and the folders that lead to them."""
    device = os.fstat(fd).st_dev
    for name in os.listdir(fd):
        _remove(fd, name, device, 0, keep_mounts=True)


def _remove(folder: int, name: str, device: int, depth: int, *, keep_mounts: bool) -> bool:
    """Return True if it was removed, False if it contains a mount point."""
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(name, dir_fd=folder)
        return True
    if status.st_dev != device:
        if keep_mounts:
            return False
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), name)
    if depth >= _MAX_DEPTH:
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
