"""FileSystems port: e2fsprogs and dosfstools."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import assert_never

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.adapters.linux.system.process import failure
from gprov.domain.disk.model import CheckVerdict, FileSystemKind, FileSystemSpec
from gprov.domain.errors import DeviceFault
from gprov.ports.destructive.filesystem_maker import FileSystemMaker
from gprov.ports.filesystem import FileSystems
from gprov.ports.process import Completed, Processes

# A full check of a large disk that was not unmounted takes its time; a hanging one must end.
_MAKE_SECONDS = 3600.0
_CHECK_SECONDS = 4 * 3600.0

# Exit status bits of e2fsck(8).
_E2FSCK_CORRECTED = 1 | 2
_E2FSCK_UNCORRECTED = 4
_E2FSCK_TROUBLE = ~(_E2FSCK_CORRECTED | _E2FSCK_UNCORRECTED)
# What it says, with status 8, if there is no ext file system to check (any more).
_NO_EXT = (b"Bad magic number in super-block", b"The superblock could not be read or does not describe a valid ext")
# Where it looks for the first copy of the superblock, for each size of blocks: behind the first group, which has as
# many blocks as a block has bits (ext4.rst, "Super Block"; blocks of 1 KiB are counted from 1).
_SUPERBLOCK_COPIES = tuple(8 * size * size + (size if size == 1024 else 0) for size in (1 << n for n in range(10, 17)))
_FSCK_FAT_FOUND = 1


class LinuxFileSystems(FileSystems, FileSystemMaker):
    """``discard``: report all blocks as free to the device before making a file system, which keeps SSDs fast. Devices
    without support ignore it."""

    def __init__(self, processes: Processes, *, discard: bool = True) -> None:
        self._processes = processes
        self._discard = discard

    @override
    def make(self, node: str, spec: FileSystemSpec) -> None:
        spec.check_label()
        self._processes.run(make_command(node, spec, discard=self._discard), timeout=_MAKE_SECONDS)
        _flush(node)

    @override
    def check(self, node: str, kind: FileSystemKind) -> CheckVerdict:
        _require_readable(node)
        match kind:
            case FileSystemKind.EXT2 | FileSystemKind.EXT3 | FileSystemKind.EXT4:
                return self._check_ext(node)
            case FileSystemKind.VFAT:
                return self._check_fat(node)
            case _:
                assert_never(kind)

    def _check_ext(self, node: str) -> CheckVerdict:
        """First the repairs that are always safe (-p), sufficient after an unclean shutdown; then all repairs (-y)."""
        done = self._e2fsck("-p", node)
        if done.status == 0:
            return CheckVerdict.CLEAN
        if done.status & ~_E2FSCK_CORRECTED == 0:
            return CheckVerdict.REPAIRED
        done = self._e2fsck("-f", "-y", node)
        if done.status & ~_E2FSCK_CORRECTED == 0:
            return CheckVerdict.REPAIRED
        if done.status & _E2FSCK_TROUBLE:
            if not any(text in done.output + done.errors for text in _NO_EXT):
                raise failure(("e2fsck", "-f", "-y", node), done)
            # It says the same of copies that could not be read: that is a dying device, and no verdict.
            _require_readable(node, *_SUPERBLOCK_COPIES)
        return CheckVerdict.BEYOND_REPAIR

    def _e2fsck(self, *words: str) -> Completed:
        return self._processes.run(("e2fsck", *words), timeout=_CHECK_SECONDS, check=False)

    def _check_fat(self, node: str) -> CheckVerdict:
        """fsck.fat exits with 1 if it found errors, repaired or not: a second run decides."""
        done = self._fsck_fat("-a", node)
        if done.status == 0:
            return CheckVerdict.CLEAN
        again = self._fsck_fat("-n", node)
        return CheckVerdict.REPAIRED if again.status == 0 else CheckVerdict.BEYOND_REPAIR

    def _fsck_fat(self, *words: str) -> Completed:
        argv = ("fsck.fat", *words)
        done = self._processes.run(argv, timeout=_CHECK_SECONDS, check=False)
        if done.status not in (0, _FSCK_FAT_FOUND):
            raise failure(argv, done)
        return done


def make_command(node: str, spec: FileSystemSpec, *, discard: bool = True) -> Sequence[str]:
    """Command line that makes this file system.

    ext4 gets lazy_itable_init: the kernel clears inode tables in the background after the first mount (until then
    checksums mark them as unused), which saves minutes on large disks. It does not get lazy_journal_init: after a crash
    before the journal was filled once, a journal that was never zeroed can replay data of an older file system.
    """
    match spec.kind:
        case FileSystemKind.VFAT:
            # FAT32 whatever the size: it is the one kind that every UEFI firmware has to read.
            return ("mkfs.fat", "-F", "32", "-n", spec.label, node)
        case FileSystemKind.EXT2 | FileSystemKind.EXT3 | FileSystemKind.EXT4:
            extended = ["discard" if discard else "nodiscard"]
            if spec.kind is FileSystemKind.EXT4:
                extended += ["lazy_itable_init=1", "lazy_journal_init=0"]
            features = ["-O", "encrypt"] if spec.encrypt and spec.kind is FileSystemKind.EXT4 else []
            identity = ["-U", spec.uuid] if spec.uuid else []
            return (
                *("mke2fs", "-F", "-q", "-t", spec.kind.value, "-L", spec.label, "-m", str(spec.reserved_percent)),
                *features,
                *identity,
                *("-E", ",".join(extended), node),
            )
        case _:
            assert_never(spec.kind)


def _flush(node: str) -> None:
    try:
        fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as exc:
        raise fault_from_oserror(node, "cannot flush", exc) from exc


def _require_readable(node: str, *offsets: int) -> None:
    """Read the start of a device and the blocks at ``offsets`` (bytes): checkers do not distinguish an unreadable
    device from one without a file system. Raises DeviceFault."""
    try:
        fd = os.open(node, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if not os.pread(fd, 65536, 0):
                raise DeviceFault(node, "cannot check: is empty")
            for offset in offsets:
                os.pread(fd, 4096, offset)
        finally:
            os.close(fd)
    except OSError as exc:
        raise fault_from_oserror(node, "cannot read", exc) from exc
