"""Reads an image file from the medium instead of the page cache."""

from __future__ import annotations

import os
import stat
from types import TracebackType
from typing import Self

from gprov.domain.errors import DeviceFault, DeviceMissing


class ImageFile:
    """An open file, read at any offset from any thread. Raises DeviceFault with file and offset."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError as exc:
            raise DeviceMissing(path, "no such file", errno=exc.errno) from exc
        except OSError as exc:
            raise DeviceFault(path, f"cannot be opened: {exc.strerror}", errno=exc.errno) from exc
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._fd)
            raise DeviceFault(path, "is not a regular file")
        self.size = status.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._fd)

    def forget_cached(self) -> None:
        """Drop the file from the page cache, so that later reads come from the medium."""
        os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def announce(self, offset: int, size: int) -> None:
        """Start read-ahead in the kernel."""
        os.posix_fadvise(self._fd, offset, size, os.POSIX_FADV_WILLNEED)

    def read_at(self, offset: int, size: int) -> bytes:
        """``size`` bytes, or fewer at the end of the file."""
        try:
            data = os.pread(self._fd, size, offset)
            while len(data) < size:
                more = os.pread(self._fd, size - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as exc:
            raise DeviceFault(self.path, f"cannot be read at offset {offset}: {exc.strerror}", errno=exc.errno) from exc
        return data
