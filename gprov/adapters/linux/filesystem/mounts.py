"""Mounts port on mount(2)."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

from typing_extensions import override

from gprov.adapters.linux.filesystem.mount_options import kernel_options
from gprov.adapters.linux.filesystem.switch_root import switch_root
from gprov.adapters.linux.ioctl import libc
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.disk.model import ActiveMount
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.disk.mountinfo import MountInfo, parse_mountinfo
from gprov.ports.filesystem import Mounts

# Meaning of errno values of mount(2) for which strerror is misleading.
_MOUNT_REASONS = {
    errno.ENODEV: "the kernel does not support this file system",
    errno.EINVAL: "no valid superblock, or an invalid mount option",
    errno.ENOTBLK: "is not a block device",
}

# Of ext3 and ext4: the volume stays as it is.
_JOURNAL_STAYS = "noload"


class LinuxMounts(Mounts):
    """``arguments``: arguments of the real init after its own name."""

    def __init__(self, mountinfo: str = "/proc/self/mountinfo", arguments: Sequence[str] = ()) -> None:
        self._mountinfo = mountinfo
        self._arguments = tuple(arguments)

    @override
    def mount(self, node: str, target: str, kind: str, options: Iterable[str] = ()) -> None:
        flags, data = kernel_options(_with_fat_mask(kind, options))
        try:
            os.makedirs(target, exist_ok=True)
        except OSError as exc:
            raise fault_from_oserror(target, "cannot make the mount point", exc) from exc
        try:
            with _unchanged(node) if _JOURNAL_STAYS in data.split(",") else nullcontext():
                libc.mount(node, target, kind, flags, data)
        except OSError as exc:
            action = f"cannot mount as {kind} at {target}"
            if exc.errno in _MOUNT_REASONS:
                raise DeviceFault(node, f"{action}: {_MOUNT_REASONS[exc.errno]}", errno=exc.errno) from exc
            raise fault_from_oserror(node, action, exc) from exc

    @override
    def unmount(self, target: str) -> None:
        try:
            # The kernel flushes on unmount, but only syncfs reports errors of that.
            flushed = _flush_error(target)
            libc.unmount(target)
        except OSError as exc:
            if exc.errno == errno.EINVAL:
                raise DeviceFault(target, "cannot unmount: nothing is mounted there", errno=exc.errno) from exc
            raise fault_from_oserror(target, "cannot unmount", exc) from exc
        if flushed is not None:
            raise fault_from_oserror(target, "unmounted, but data was lost while flushing", flushed) from flushed

    @override
    def mounted(self) -> tuple[ActiveMount, ...]:
        try:
            with open(self._mountinfo, "rb") as table:
                text = table.read()
        except OSError as exc:
            raise fault_from_oserror(self._mountinfo, "cannot read", exc) from exc
        found = ((entry, _device(entry)) for entry in parse_mountinfo(text))
        return tuple(
            ActiveMount(device, entry.target, entry.kind, entry.options)
            for entry, device in found
            if device is not None
        )

    @override
    def switch_root(self, target: str, init: str) -> None:
        switch_root(target, init, self._arguments)


def _unchanged(node: str) -> AbstractContextManager[None]:
    from gprov.adapters.linux.filesystem.read_only_device import read_only_device  # a normal boot needs it not

    return read_only_device(node)


def _with_fat_mask(kind: str, options: Iterable[str]) -> tuple[str, ...]:
    """FAT stores no modes: they result from a mask, by default the umask of the mounting process."""
    chosen = tuple(options)
    masks = ("umask=", "fmask=", "dmask=")
    if kind != "vfat" or any(word.strip().startswith(masks) for text in chosen for word in text.split(",")):
        return chosen
    return (*chosen, "umask=0022")


def _flush_error(target: str) -> OSError | None:
    fd = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        libc.syncfs(fd)
    except OSError as exc:
        return exc
    finally:
        os.close(fd)
    return None


def _device(entry: MountInfo) -> DeviceNumber | None:
    """The block device of a mount; None for a virtual file system."""
    if entry.device.major:
        return entry.device
    if not entry.source.startswith("/"):
        return None
    # btrfs and others have an anonymous device number; the mount source names the device.
    try:
        status = os.stat(entry.source)
    except OSError:  # a name from another root, or a removed device
        return None
    if not stat.S_ISBLK(status.st_mode):
        return None
    return DeviceNumber(os.major(status.st_rdev), os.minor(status.st_rdev))
