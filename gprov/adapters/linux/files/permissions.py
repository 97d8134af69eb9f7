"""Mode and owner of an open file: set, read back, and honest about file systems that keep neither."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from gprov.adapters.linux.ioctl import libc
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.owner import Owner

_OTHERS_READ_OR_WRITE = 0o066


def settle(fd: int, path: str, mode: int, owner: Owner) -> None:
    """Set owner and mode and check that they stuck.

    FAT has neither: there every file has what the mount options say. That is accepted unless it would let others read
    or write what ``mode`` keeps from them. Raises DeviceFault, OSError.
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
        raise DeviceFault(path, f"permissions do not stick: {is_now}, wanted {mode:o}, {owner.uid}:{owner.gid}")
    if kept & ~mode & _OTHERS_READ_OR_WRITE:
        raise DeviceFault(path, f"FAT cannot keep this from others: {is_now}, wanted {mode:o}")
