"""``erase_left.json`` on RECOVERY: what a finished erase left at both ends of each disk.

Every partition table and every md or file system changes one of the ends: a disk that still holds them was not used
since the erase. Overwritten disks are not blank, so this is the evidence that there is nothing to wait for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.formats.json.reading import finish, read_object

VERSION = 1
MAX_BYTES = 1 << 20
_MOST = 256


@dataclass(frozen=True, slots=True)
class DiskEnds:
    """``identity`` and ``size``: of the disk, as in ``DiskProgress``; ``digest``: ``ends_digest`` of its ends."""

    identity: str
    size: int
    digest: str


def disk_ends(size: int) -> tuple[Extent, Extent]:
    """The first and the last MiB of a disk of ``size`` bytes."""
    edge = min(MIB, size)
    return Extent(0, edge), Extent(size - edge, size)


def ends_digest(content: bytes) -> str:
    """SHA-256 in hex. ``content``: of both ends, the first one first."""
    return hashlib.sha256(content).hexdigest()


def is_as_left(disk: Disk, content: bytes, left: Collection[DiskEnds]) -> bool:
    """Whether this disk is in the record, with this content of its ends."""
    identity = _written(disk.identity)
    known = [one for one in left if (one.identity, one.size) == (identity, disk.size)]
    return bool(known) and ends_digest(content) in [one.digest for one in known]


def serialise_ends(ends: Collection[DiskEnds]) -> bytes:
    """Inverse of ``parse_ends``."""
    document = {
        "_comment": "gprov: both ends of each disk after the last erase; a start compares them",
        "Version": VERSION,
        "Disks": [{"Identity": _written(one.identity), "Size": one.size, "Digest": one.digest} for one in ends],
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def parse_ends(source: str, data: bytes) -> tuple[DiskEnds, ...]:
    """``source`` names the file. Raises BadInput."""
    root = read_object(source, data)
    if root.integer("Version", required=True, minimum=1) > VERSION:
        root.problem("Version", f"is newer than {VERSION}")
    ends = tuple(
        DiskEnds(
            one.text("Identity", required=True),
            one.integer("Size", required=True, minimum=0),
            one.text("Digest", required=True),
        )
        for one in root.objects("Disks", required=True, most=_MOST)
    )
    return finish(source, root, ends)


def _written(identity: str) -> str:
    """As JSON can hold it: identities may contain bytes that are not UTF-8."""
    return identity.encode("utf-8", "replace").decode()
