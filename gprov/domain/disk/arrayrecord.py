"""``array.json`` on PRIMARY: disks of the unit's array by slot, so that messages can name a missing disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gprov.domain.disk.model import Disk
from gprov.domain.formats.json.reading import finish, read_object

if TYPE_CHECKING:
    from gprov.domain.disk.arrayspec import ArraySpec

# In the configuration folder of the image.
ARRAY_FILE = "array.json"


def array_record(spec: ArraySpec, disks: Sequence[Disk]) -> bytes:
    """Content of the file. ``disks`` in the order of the slots. ``Port``: the disk's port (``slot``, else ``path``)."""
    members = [
        {"Slot": slot, "Disk": disk.called or disk.place, "Port": disk.slot or disk.path, "Size": disk.size}
        for slot, disk in enumerate(disks)
    ]
    record = {"Name": spec.full_name, "Uuid": spec.uuid, "Level": spec.level.value, "Members": members}
    return json.dumps(record, indent=2).encode() + b"\n"


def parse_array_record(source: str, raw: bytes) -> Mapping[int, str]:
    """Slot → identity and port of its disk at the time of the restore. ``source`` names the file. Raises BadInput."""
    root = read_object(source, raw)
    found = {
        member.integer("Slot", required=True, minimum=0): _place(
            member.text("Disk", required=True), member.text("Port")
        )
        for member in root.objects("Members", required=True)
    }
    return finish(source, root, found)


def _place(disk: str, port: str) -> str:
    return f"{disk} at {port}" if port else disk
