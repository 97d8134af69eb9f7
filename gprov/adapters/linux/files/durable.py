"""Replaces files and links so that after a power cut the old one or the new one is there, and is whole.

A file is replaced by writing a temporary one in the same folder and renaming it. The temporary name is always the same,
so that a file left by a power cut is reused. All functions raise OSError.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress

from gprov.adapters.linux.files.permissions import apply_permissions
from gprov.domain.formats.owner import Owner

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def replace_file(entry: str, fill: Callable[[int], None], path: str, mode: int, owner: Owner) -> None:
    """``fill`` writes to the given file descriptor. ``path``: name of the file in errors. Also raises DeviceFault."""
    temporary = _temporary_path(entry)
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    fd = os.open(temporary, _NEW, 0o600)
    try:
        try:
            apply_permissions(fd, path, mode, owner)  # before there is anything to see
            fill(fd)
            os.fsync(fd)
        finally:
            os.close(fd)
    except BaseException:
        with suppress(OSError):  # the first error is the one that counts
            os.unlink(temporary)
        raise
    _put_in_place(temporary, entry)


def replace_link(entry: str, target: str) -> None:
    """Replace whatever is there by a symbolic link to ``target``."""
    temporary = _temporary_path(entry)
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    os.symlink(target, temporary)
    _put_in_place(temporary, entry)


def sync_renamed(path: str) -> None:
    """Make a rename durable. On FAT the start and length of the data are stored when the file itself is flushed
    (``vfat_rename`` only marks the inode dirty): after a flush of the folder alone, a power cut leaves an empty
    file."""
    if stat.S_ISREG(os.lstat(path).st_mode):
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    sync_folder(os.path.dirname(path))


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable. "" is the current folder."""
    fd = os.open(folder or ".", OPEN_FOLDER)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _put_in_place(temporary: str, path: str) -> None:
    try:
        os.rename(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    sync_renamed(path)


def _temporary_path(path: str) -> str:
    folder, name = os.path.split(path)
    short = os.fsdecode(os.fsencode(name)[:200])
    return os.path.join(folder, f".{short}.new")
