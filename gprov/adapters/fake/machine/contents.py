"""Contents of all media of a simulated machine as a value for comparisons."""

from __future__ import annotations

from collections.abc import Iterable
from posixpath import basename

from gprov.adapters.fake.machine.storage import FakeArray, FakeDisk, FakeMember, FakeVolume, Node, Tree
from gprov.domain.boot.boot_counts import STARTED_FILE
from gprov.domain.recovery_files import BUDGET_FILE

# Files that each boot changes, and their temporary names.
_COUNTS = frozenset(name for count in (STARTED_FILE, BUDGET_FILE) for name in (count, f".{count}.new"))


def media_state(disks: Iterable[FakeDisk], arrays: Iterable[FakeArray]) -> dict[str, object]:
    """Contents by name of the disk and by UUID of the array, without the files that count boots."""
    on_disks: dict[str, object] = {
        disk.name: (
            disk.table,
            [
                (part.number, part.start, part.size, part.label, part.uuid, _stored(part.volume or part.member))
                for part in disk.partitions
            ],
            dict(disk.areas),
            {start: _stored(found) for start, found in disk.old_contents.items()},
        )
        for disk in disks
    }
    return on_disks | {array.uuid: _stored(array.device.volume) for array in arrays}


def _stored(volume: FakeVolume | FakeMember | None) -> object:
    if volume is None:
        return None
    if isinstance(volume, FakeMember):
        return volume.array.uuid, volume.slot, volume.active, volume.events
    trees = (_nodes(tree) for tree in (volume.current, volume.durable))
    return volume.kind, volume.label, volume.uuid, volume.damaged, *trees


def _nodes(tree: Tree) -> dict[str, Node | None]:
    return {path: tree.get(path) for path in tree.paths() if basename(path) not in _COUNTS}
