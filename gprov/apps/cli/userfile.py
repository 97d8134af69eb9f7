"""Files that the user names on the command line."""

from __future__ import annotations

from gprov.domain.errors import DeviceFault, DeviceMissing


def read_user_file(path: str, limit: int = 16 << 20) -> bytes:
    """Whole content. Raises DeviceMissing, or DeviceFault (also for more than ``limit`` bytes)."""
    try:
        with open(path, "rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError as exc:
        raise DeviceMissing(path, "no such file", errno=exc.errno) from exc
    except (OSError, ValueError) as exc:  # ValueError: a name with a zero byte
        raise DeviceFault(path, f"cannot be read: {exc}", errno=getattr(exc, "errno", None)) from exc
    if len(content) > limit:
        raise DeviceFault(path, f"is larger than {limit >> 20} MiB")
    return content
