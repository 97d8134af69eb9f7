"""Putting files and links in their place: after a power cut there is the old one or the new one, and either is whole.

A file is replaced by writing a temporary one beside it and renaming that. The temporary name is the same every time,
so that one left over by a power cut is reused instead of piling up. Everything here raises OSError.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress

from gprov.adapters.linux.files.permissions import settle
from gprov.domain.formats.owner import Owner

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def replace_file(entry: str, fill: Callable[[int], None], path: str, mode: int, owner: Owner) -> None:
    """``fill`` writes to the file descriptor that it is given. ``path``: what errors call the file. Raises DeviceFault,
    too."""
    beside = _beside(entry)
    with suppress(FileNotFoundError):
        os.unlink(beside)
    fd = os.open(beside, _NEW, 0o600)
    try:
        try:
            settle(fd, path, mode, owner)  # before there is anything to see
            fill(fd)
            os.fsync(fd)
        finally:
            os.close(fd)
    except BaseException:
        with suppress(OSError):  # the first error is the one that counts
            os.unlink(beside)
        raise
    _put_in_place(beside, entry)


def replace_link(entry: str, target: str) -> None:
    """A symbolic link to ``target``, whatever was there."""
    beside = _beside(entry)
    with suppress(FileNotFoundError):
        os.unlink(beside)
    os.symlink(target, beside)
    _put_in_place(beside, entry)


def sync_renamed(path: str) -> None:
    """On FAT a rename leaves it to the file's own flush to write where its data are and how many (``vfat_rename`` marks
    the inode dirty, no more): after the flush of the folder alone, a power cut leaves an empty file."""
    if stat.S_ISREG(os.lstat(path).st_mode):
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    sync_folder(os.path.dirname(path))


def sync_folder(folder: str) -> None:
    """Make the names in it durable. "" is the current one."""
    fd = os.open(folder or ".", OPEN_FOLDER)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _put_in_place(beside: str, path: str) -> None:
    try:
        os.rename(beside, path)
    except OSError:
        with suppress(OSError):
            os.unlink(beside)
        raise
    sync_renamed(path)


def _beside(path: str) -> str:
    folder, name = os.path.split(path)
    short = os.fsdecode(os.fsencode(name)[:200])
    return os.path.join(folder, f".{short}.new")
