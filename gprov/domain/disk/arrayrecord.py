"""What a restored system keeps about its array, so that a missing disk can be named by what people see on it."""

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
    """``disks`` in the order of the array's slots. ``Port`` is the place in the machine, where that is known."""
    members = [
        {"Slot": slot, "Disk": disk.called or disk.place, "Port": disk.slot or disk.path, "Size": disk.size}
        for slot, disk in enumerate(disks)
    ]
    record = {"Name": spec.full_name, "Uuid": spec.uuid, "Level": spec.level.value, "Members": members}
    return json.dumps(record, indent=2).encode() + b"\n"


def parse_array_record(what: str, raw: bytes) -> Mapping[int, str]:
    """Slot → identity and port of the disk that was there when the array was made. Raises BadInput."""
    root = read_object(what, raw)
    found = {
        member.integer("Slot", required=True, minimum=0): _place(
            member.text("Disk", required=True), member.text("Port")
        )
        for member in root.objects("Members", required=True)
    }
    return finish(what, root, found)


def _place(disk: str, port: str) -> str:
    return f"{disk} at {port}" if port else disk
