"""Opens files given by a user. Only regular files are accepted: reading a pipe or device may block."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

from gprov.domain.errors import DeviceFault, DeviceMissing


def open_regular(path: str) -> BinaryIO:
    """Open a regular file for reading. Raises DeviceMissing, DeviceFault."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError as exc:
        raise DeviceMissing(path, "no such file", errno=exc.errno) from exc
    except OSError as exc:
        raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc
    except ValueError as exc:  # a name with a zero byte
        raise DeviceFault(path, f"cannot be read: {exc}") from exc
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(fd, "rb")
    os.close(fd)
    what = "Is a directory" if stat.S_ISDIR(mode) else "is not a regular file"
    raise DeviceFault(path, f"cannot be read: {what}")
