"""Totals of an archive, with limits: headers of some bytes can state any size, and compressed members take no room."""

from __future__ import annotations

from gprov.domain.formats.image.tar_fields import Malformed

MAX_MEMBERS = 1 << 21
# The largest ext4: blocks of 4 KiB, with numbers of 48 bits.
MAX_CONTENT = 1 << 60


class Totals:
    """``members``: replaced ones included; ``content_bytes``: of regular files, with their holes. Raises Malformed
    above the limits."""

    def __init__(self) -> None:
        self.members = 0
        self.content_bytes = 0

    def add_member(self) -> None:
        self.members += 1
        if self.members > MAX_MEMBERS:
            raise Malformed(f"the archive has more than {MAX_MEMBERS} members")

    def add_content(self, size: int) -> None:
        self.content_bytes += size
        if self.content_bytes > MAX_CONTENT:
            raise Malformed(f"its files have more than {MAX_CONTENT} bytes in all, more than a file system can have")
