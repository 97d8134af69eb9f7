"""Reading small files of a data folder."""

from __future__ import annotations

from gprov.domain.errors import DeviceFault, DeviceMissing

MOST_BYTES = 16 << 20


def read_small(path: str, most: int = MOST_BYTES) -> bytes:
    """Raises DeviceMissing, DeviceFault (also for more than ``most`` bytes)."""
    try:
        with open(path, "rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError as exc:
        raise DeviceMissing(path, "no such file", errno=exc.errno) from exc
    except OSError as exc:
        raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc
    if len(content) > most:
        raise DeviceFault(path, f"is larger than {most} bytes")
    return content
