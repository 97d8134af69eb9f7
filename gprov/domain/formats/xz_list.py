"""What ``xz --robot --list`` prints about a file."""

from __future__ import annotations

_UNPACKED = 4  # field of the line with the totals; xz(1), "Robot mode", "List mode"


def listed_size(output: bytes) -> int | None:
    """Bytes that the whole file unpacks to, as its index states; None if that is not there."""
    for line in output.splitlines():
        fields = line.split(b"\t")
        if fields[0] == b"totals" and len(fields) > _UNPACKED and fields[_UNPACKED].isdigit():
            return int(fields[_UNPACKED])
    return None
