"""Translates OSError to gprov's errors."""

from __future__ import annotations

import errno
import os

from gprov.domain.errors import DeviceFault, DeviceMissing

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ENODEV, errno.ENOMEDIUM})


def fault_from_oserror(subject: str, action: str, exc: OSError) -> DeviceFault:
    """The error for a failed operation: ``fault_from_oserror(path, "cannot read", exc)``. DeviceMissing for errno
    values of missing files and devices, else DeviceFault."""
    kind = DeviceMissing if exc.errno in _GONE else DeviceFault
    text = os.strerror(exc.errno) if exc.errno else str(exc)
    return kind(subject, f"{action}: {text}", errno=exc.errno)
