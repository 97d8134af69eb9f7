"""Files of this machine that look like a root file system."""

from __future__ import annotations

import os
import stat
from pathlib import Path

FOLDERS = ("/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu", "/usr/lib/python3", "/usr/share")
_LARGEST = 8 << 20
_BYTES_PER_MEMBER = 20_000


def pick(folders: tuple[str, ...], size: int) -> tuple[list[Path], int]:
    """Members of these folders in order, with so many bytes in all. As in a root file system, some 20 KB each."""
    chosen: list[Path] = []
    total = 0
    most = size // _BYTES_PER_MEMBER
    for top in folders:
        for folder, inner, files in os.walk(top):
            inner.sort()
            for path in (Path(folder) / name for name in sorted([*inner, *files])):
                status = path.lstat()
                own = status.st_size if stat.S_ISREG(status.st_mode) else 0
                if own <= _LARGEST and total + own <= size and len(chosen) < most:
                    chosen.append(path.relative_to("/"))
                    total += own
    return chosen, total
