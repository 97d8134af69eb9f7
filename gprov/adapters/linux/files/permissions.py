"""Sets mode and owner of an open file and verifies them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from gprov.adapters.linux.ioctl import libc
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.owner import Owner

_OTHERS_READ_OR_WRITE = 0o066


def apply_owner(fd: int, path: str, owner: Owner) -> None:
    """Set the owner and read it back. Raises DeviceFault, OSError."""
    os.fchown(fd, owner.uid, owner.gid)
    found = os.fstat(fd)
    if (found.st_uid, found.st_gid) != (owner.uid, owner.gid):
        raise DeviceFault(
            path, f"file system kept owner {found.st_uid}:{found.st_gid}, requested {owner.uid}:{owner.gid}"
        )


def apply_permissions(fd: int, path: str, mode: int, owner: Owner) -> None:
    """Set owner and mode, then read them back.

    FAT stores neither: every file has the mode of the mount options. That is accepted unless it lets others read or
    write where ``mode`` does not. Raises DeviceFault, OSError.
    """
    fat = libc.file_system_magic(fd) == libc.MSDOS_SUPER_MAGIC
    if fat:
        with suppress(PermissionError):
            os.fchown(fd, owner.uid, owner.gid)
            os.fchmod(fd, mode)
    else:
        os.fchown(fd, owner.uid, owner.gid)
        os.fchmod(fd, mode)  # after the owner: a change of that clears set-user-id bits
    found = os.fstat(fd)
    kept = stat.S_IMODE(found.st_mode)
    if (kept, found.st_uid, found.st_gid) == (mode, owner.uid, owner.gid):
        return
    is_now = f"mode {kept:o}, owner {found.st_uid}:{found.st_gid}"
    if not fat:
        raise DeviceFault(
            path, f"cannot set permissions: file system kept {is_now}, requested {mode:o}, {owner.uid}:{owner.gid}"
        )
    if kept & ~mode & _OTHERS_READ_OR_WRITE:
        raise DeviceFault(path, f"FAT cannot store mode {mode:o}: the file would be readable by all users ({is_now})")
