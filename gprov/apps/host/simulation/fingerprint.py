"""A hash of the state that outlives a power cut: machines with the same hash behave alike from there on."""

from __future__ import annotations

from gprov.adapters.fake.machine.storage import FakeDisk, FakeMember, FakePartition, FakeVolume
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.host.simulation.user_data import user_data
from gprov.apps.host.simulation.world import World


def fingerprint(world: World) -> int:
    """Hash of a machine that is off and of the documents at its factory; without time and randomness."""
    machine = world.machine
    nvram = frozenset((name.vendor, name.name, value.attributes, value.data) for name, value in machine.nvram.items())
    arrays = tuple((array.uuid, _volume(array.device.volume)) for array in machine.arrays())
    disks = tuple(_disk(disk) for disk in machine.disks)
    tpm = machine.tpm is not None and _tpm(machine.tpm)
    return hash((disks, arrays, nvram, tpm, machine.menu_choice, tuple(sorted(world.factory.documents))))


def _tpm(chip: FakeTpmChip) -> object:
    indices = tuple((number, index.public(number), index.data) for number, index in sorted(chip.nv.items()))
    return chip.owned, tuple(chip.persistent), indices, chip.seed


def _disk(disk: FakeDisk) -> object:
    parts = tuple(_partition(part) for part in disk.partitions)
    remains = tuple((start, _volume(found)) for start, found in sorted(disk.old_contents.items()))
    drives = tuple(drive.state for drive in (disk.scsi_drive, disk.nvme_drive) if drive is not None)
    content = tuple(sorted(user_data(disk))), drives
    return disk.serial, disk.table is None, disk.detached, parts, remains, tuple(sorted(disk.areas.items())), content


def _partition(part: FakePartition) -> object:
    return part.number, part.start, part.size, part.uuid, _volume(part.volume), _volume(part.member)


def _volume(found: FakeVolume | FakeMember | None) -> object:
    if found is None:
        return None
    if isinstance(found, FakeMember):
        return found.array.uuid, found.slot, found.active, found.events
    trees = (found.durable.items(), found.in_place.items())
    state = found.damaged, found.repairable, found.ambivalent, found.lost_bytes
    return found.kind, found.label, found.uuid, *state, trees
