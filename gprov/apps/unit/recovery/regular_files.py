"""Reading small files that a person may have put onto a volume: not through links, and no devices."""

from __future__ import annotations

from gprov.domain.errors import DeviceFault
from gprov.domain.files import FileType
from gprov.ports.files import Files


def read_regular(files: Files, path: str, limit: int) -> bytes | None:
    """None if nothing is there. Raises DeviceFault, also if it is no regular file or has more than ``limit`` bytes."""
    status = files.status(path)
    if status is None:
        return None
    if status.type is not FileType.FILE:
        raise DeviceFault(path, "is no file")
    return files.read(path, limit)
