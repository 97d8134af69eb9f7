"""Converts options of mount(8) to flags and data text of mount(2)."""

from __future__ import annotations

from collections.abc import Iterable

from gprov.adapters.linux.ioctl.libc import MountFlag
from gprov.domain.errors import BadInput, Problem

_SET = {
    "ro": MountFlag.RDONLY,
    "nosuid": MountFlag.NOSUID,
    "nodev": MountFlag.NODEV,
    "noexec": MountFlag.NOEXEC,
    "sync": MountFlag.SYNCHRONOUS,
    "dirsync": MountFlag.DIRSYNC,
    "remount": MountFlag.REMOUNT,
    "bind": MountFlag.BIND,
    "rbind": MountFlag.BIND | MountFlag.REC,
    "silent": MountFlag.SILENT,
    "noatime": MountFlag.NOATIME,
    "nodiratime": MountFlag.NODIRATIME,
    "relatime": MountFlag.RELATIME,
    "strictatime": MountFlag.STRICTATIME,
    "lazytime": MountFlag.LAZYTIME,
}
_CLEAR = {
    "rw": MountFlag.RDONLY,
    "suid": MountFlag.NOSUID,
    "dev": MountFlag.NODEV,
    "exec": MountFlag.NOEXEC,
    "async": MountFlag.SYNCHRONOUS,
    "loud": MountFlag.SILENT,
    "atime": MountFlag.NOATIME,
    "diratime": MountFlag.NODIRATIME,
    "norelatime": MountFlag.RELATIME,
    "nostrictatime": MountFlag.STRICTATIME,
    "nolazytime": MountFlag.LAZYTIME,
}
# Meant for whoever reads fstab, not for the kernel.
_FSTAB_ONLY = frozenset({"auto", "noauto", "nofail", "user", "nouser", "users", "owner", "group", "_netdev"})
_DEFAULTS = (
    MountFlag.RDONLY | MountFlag.NOSUID | MountFlag.NODEV | MountFlag.NOEXEC | MountFlag.SYNCHRONOUS
)  # what "defaults" clears
_DATA_LIMIT = 4095  # the kernel takes one page of text


def kernel_options(options: Iterable[str]) -> tuple[MountFlag, str]:
    """Later options override earlier ones. Options that are not flags are passed to the file system unchanged, in
    order. Raises BadInput for text that cannot be passed."""
    flags = MountFlag(0)
    data: list[str] = []
    for option in (word.strip() for text in options for word in text.split(",")):
        if option in _SET:
            flags |= _SET[option]
        elif option in _CLEAR:
            flags &= ~_CLEAR[option]
        elif option == "defaults":
            flags &= ~_DEFAULTS
        elif option and option not in _FSTAB_ONLY and not option.startswith(("x-", "X-", "comment=")):
            data.append(option)
    text = ",".join(data)
    if not text.isprintable() or len(text.encode()) > _DATA_LIMIT:
        raise BadInput("mount options", [Problem("", f"cannot be passed to the kernel: {text[:80]!r}")])
    return flags, text
