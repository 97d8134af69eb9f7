"""Block devices on which the kernel must not write, whatever is mounted from them.

ext4 writes also when it is mounted read-only and its journal is not replayed: it removes files that were deleted while
they were open (orphans; fs/ext4/orphan.c), and notes errors in the superblock. On a volume that was not unmounted,
whose journal holds newer metadata, that is damage.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gprov.adapters.linux.ioctl import block


@contextmanager
def read_only_device(node: str) -> Iterator[None]:
    """Context in which the kernel refuses to write on the device; afterwards it is as before. Raises OSError."""
    fd = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        before = block.is_read_only(fd)
        block.set_read_only(fd, read_only=True)
        try:
            yield
        finally:
            with suppress(OSError):  # removed meanwhile
                block.set_read_only(fd, read_only=before)
    finally:
        os.close(fd)
