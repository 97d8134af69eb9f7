"""OSError → gprov's errors, in one place."""

from __future__ import annotations

import errno
import os

from gprov.domain.errors import DeviceFault, DeviceMissing

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ENODEV, errno.ENOMEDIUM})


def fault(subject: str, doing: str, exc: OSError) -> DeviceFault:
    """The error for a failed operation: ``fault(path, "cannot read", exc)``. What is not there is DeviceMissing."""
    kind = DeviceMissing if exc.errno in _GONE else DeviceFault
    text = os.strerror(exc.errno) if exc.errno else str(exc)
    return kind(subject, f"{doing}: {text}", errno=exc.errno)
