"""``erase_raid.json`` on RECOVERY: metadata of firmware RAID that an erase puts back, so that a power cut does not lose
it."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from gprov.domain.erase.extents import Extent
from gprov.domain.erase.raid_metadata import FoundMetadata, SavedRange
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.platform.model import FakeraidType

VERSION = 1
MAX_BYTES = 512 << 20
_MOST = 256
_MOST_RANGES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMetadata:
    """``identity`` and ``size``: of the disk, as in ``DiskProgress``. ``problem``: why nothing could be kept, "" if it
    could."""

    identity: str
    size: int
    kind: FakeraidType
    found: FoundMetadata
    problem: str = ""


def serialise_kept(kept: tuple[KeptMetadata, ...]) -> bytes:
    """Inverse of ``parse_kept``."""
    document = {
        "_comment": "gprov: metadata of firmware RAID, put back after the erase of this unit",
        "Version": VERSION,
        "Disks": [
            {
                "Identity": one.identity.encode("utf-8", "replace").decode(),
                "Size": one.size,
                "Kind": one.kind.value,
                "Problem": one.problem.encode("utf-8", "replace").decode(),
                "Notes": list(one.found.notes),
                "Ranges": [
                    {"Offset": part.extent.start, "Content": base64.b64encode(part.content).decode("ascii")}
                    for part in one.found.ranges
                ],
            }
            for one in kept
        ],
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def parse_kept(source: str, data: bytes) -> tuple[KeptMetadata, ...]:
    """``source`` names the file. Raises BadInput."""
    root = read_object(source, data)
    if root.integer("Version", required=True, minimum=1) > VERSION:
        root.problem("Version", f"is newer than {VERSION}")
    return finish(source, root, tuple(_disk(one) for one in root.objects("Disks", required=True, most=_MOST)))


def _disk(document: JsonObject) -> KeptMetadata:
    ranges = tuple(_range(one) for one in document.objects("Ranges", most=_MOST_RANGES))
    return KeptMetadata(
        identity=document.text("Identity", required=True),
        size=document.integer("Size", required=True, minimum=0),
        kind=document.one_of("Kind", {kind.value: kind for kind in FakeraidType}, FakeraidType.DDF, required=True),
        found=FoundMetadata(ranges, document.texts("Notes", most=_MOST)),
        problem=document.text("Problem"),
    )


def _range(document: JsonObject) -> SavedRange:
    offset = document.integer("Offset", required=True, minimum=0)
    try:
        content = base64.b64decode(document.text("Content", required=True), validate=True)
    except (binascii.Error, ValueError):
        document.problem("Content", "is not base64")
        content = b""
    return SavedRange(Extent(offset, offset + len(content)), content)
