"""The search of one removable volume, in a child process."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from gprov.adapters.linux.filesystem.mount_options import kernel_options
from gprov.adapters.linux.filesystem.read_only_device import read_only_device
from gprov.adapters.linux.ioctl import libc
from gprov.adapters.linux.ioctl.libc import MountFlag
from gprov.adapters.linux.system.forked_child import ForkedChild
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.emergency.media import (
    MEDIA_MOUNTS,
    MOST_FILES,
    MOST_NAMES,
    START_BYTES,
    MediaContents,
    MediaFile,
    may_be_emergency_file,
)

_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def start_search(node: str, kind: str, prefix: str, target: str, hidden: Iterable[str]) -> ForkedChild:
    """Start the child. Raises DeviceFault."""
    try:
        os.makedirs(target, exist_ok=True)
    except OSError as exc:
        raise fault_from_oserror(target, "cannot make the mount point", exc) from exc
    return ForkedChild(partial(_search, node, kind, prefix, target, hidden))


def _search(node: str, kind: str, prefix: str, target: str, hidden: Iterable[str]) -> bytes:
    """Runs in the child. Errors are a part of the result."""
    problem = ""
    found: list[list[str | int]] = []
    try:
        libc.unshare(libc.CLONE_NEWNS)
        libc.mount("none", "/", "", MountFlag.REC | MountFlag.PRIVATE)
        for mounted in hidden:
            with suppress(OSError):
                libc.detach(mounted)
        how = MEDIA_MOUNTS[kind]
        flags, data = kernel_options(how.options)
        with read_only_device(node), _mounted(node, target, how.kind, (flags, data)):
            for file in _files(target, prefix):
                if len(found) == MOST_FILES:
                    problem = f"has more than {MOST_FILES} emergency files: the others are not looked at"
                    break
                found.append([file.name, file.regular, file.size, file.start.hex()])
    except OSError as exc:
        problem = f"cannot be read: {exc.strerror}"
    except _TooManyNames:
        problem = f"has more than {MOST_NAMES} names in its root folder: the others are not looked at"
    return json.dumps([found, problem]).encode("ascii")


@contextmanager
def _mounted(node: str, target: str, kind: str, options: tuple[MountFlag, str]) -> Iterator[None]:
    """Unmounted before the device can be written again."""
    libc.mount(node, target, kind, *options)
    try:
        yield
    finally:
        libc.unmount(target)


class _TooManyNames(Exception):
    pass


def _files(folder: str, prefix: str) -> Iterator[MediaFile]:
    """Raises OSError, _TooManyNames."""
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count >= MOST_NAMES:
                raise _TooManyNames
            if may_be_emergency_file(entry.name, prefix):
                yield _examine(entry.path, entry.name)


def _examine(path: str, name: str) -> MediaFile:
    if not stat.S_ISREG(os.lstat(path).st_mode):
        return MediaFile(name=name, regular=False)
    fd = os.open(path, _OPEN_FILE)
    try:
        return MediaFile(name=name, regular=True, size=os.fstat(fd).st_size, start=os.read(fd, START_BYTES))
    finally:
        os.close(fd)


def decoded(data: bytes) -> MediaContents:
    """What the child returned, b"" for a child that was ended."""
    if not data:
        return MediaContents(problem="cannot be searched: the search ended early")
    found, problem = json.loads(data)
    files = (
        MediaFile(name=name, regular=regular, size=size, start=bytes.fromhex(start))
        for name, regular, size, start in found
    )
    return MediaContents(tuple(files), problem)
