"""PartFiles port on a real file system."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.adapters.linux.files.durable import sync_folder
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import DeviceFault
from gprov.ports.update import PartFile, PartFiles

_BLOCK = 1 << 20
_APPEND = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class LinuxPartFiles(PartFiles):
    @override
    @contextmanager
    def open(self, path: str) -> Iterator[PartFile]:
        with _opened(path, _APPEND) as descriptor:
            yield _LinuxPartFile(path, descriptor)

    @override
    def blocks(self, path: str) -> Iterator[bytes]:
        with _opened(path, _READ) as descriptor:
            with _translated(path, "cannot read"):
                # Dirty pages cannot be dropped from the cache, so they are written first.
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            while True:
                with _translated(path, "cannot read"):
                    block = os.read(descriptor, _BLOCK)
                if not block:
                    return
                yield block


class _LinuxPartFile(PartFile):
    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    @property
    @override
    def size(self) -> int:
        return self._size

    @override
    def append(self, block: bytes) -> None:
        rest = memoryview(block)
        with _translated(self._path, "cannot write"):
            while rest:
                written = os.pwrite(self._descriptor, rest, self._size)
                self._size += written
                rest = rest[written:]

    @override
    def shorten(self, size: int) -> None:
        if size >= self._size:
            return
        with _translated(self._path, "cannot write"):
            os.ftruncate(self._descriptor, size)
        self._size = size

    @override
    def flush(self) -> None:
        with _translated(self._path, "cannot flush"):
            os.fsync(self._descriptor)
            sync_folder(os.path.dirname(self._path))


@contextmanager
def _opened(path: str, flags: int) -> Iterator[int]:
    with _translated(path, "cannot open"):
        descriptor = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DeviceFault(path, "is no file")
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _translated(path: str, action: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise fault_from_oserror(path, action, exc) from exc
