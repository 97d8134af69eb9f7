"""Memory and processors available for decoding."""

from __future__ import annotations

import os

from gprov.domain.errors import DeviceFault

_MEMINFO = "/proc/meminfo"


def available_memory(path: str = _MEMINFO) -> int:
    """Bytes available without swapping, as estimated by the kernel (MemAvailable). Raises DeviceFault."""
    try:
        with open(path, encoding="ascii") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key == "MemAvailable":
                    return int(value.split()[0]) * 1024
    except (OSError, ValueError, IndexError) as exc:
        raise DeviceFault(path, f"cannot be read: {exc}") from exc
    raise DeviceFault(path, "MemAvailable is missing")


def usable_cores() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0))
