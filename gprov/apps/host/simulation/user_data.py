"""Data of users on simulated media, and the rules that hold for a unit that is to be erased."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from gprov.adapters.fake.machine.storage import FakeDisk, Node
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.host.simulation.world import World
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.model import Bus
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Stamped
from gprov.domain.errors import BadInput
from gprov.domain.files import FileType
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.formats.json.reading import read_object
from gprov.domain.recovery_files import ERASE_FILE, ERASE_REPORT

_USER_DATA = "user data"
# Linux's LINUX_EFI_CRASH_GUID.
_CRASH_LOGS = "cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0"
# Below a folder of which the rules for restored systems allow any file.
_MARK = "/etc/provisioning/used"
# A key that a TPM of earlier owners holds. (The restored system makes another one, and numbers of its own.)
_USER_KEY = 0x81010001


def data_disks(world: World) -> tuple[FakeDisk, ...]:
    """All but RECOVERY."""
    return tuple(disk for disk in world.machine.disks if disk.serial != "recovery" and disk.bus is not Bus.USB)


def put_user_data(world: World) -> None:
    """Make what is on the media recognisable as that of before, and mark the system."""
    for disk in data_disks(world):
        disk.media.segments = tuple(
            replace(one, content=Stamped(f"{_USER_DATA} {one.content.seed}"))
            if isinstance(one.content, Stamped)
            else one
            for one in disk.media.segments
        )
    tree = world.machine.volume_tree(world.branding.primary_label)
    tree.put(_MARK, Node(type=FileType.FILE, content=b"yes"))
    world.machine.flush()


def put_machine_data(world: World) -> None:
    """The same for UEFI variables, and a TPM."""
    world.machine.tpm = FakeTpmChip()
    if world.machine.firmware is FirmwareKind.UEFI:
        for number in range(3):
            name = f"dump-type0-{number}-1-1700000000-C"
            world.machine.nvram[VariableName(name, _CRASH_LOGS)] = Variable(7, _USER_DATA.encode())


def user_data(disk: FakeDisk) -> list[Extent]:
    """Where it still is, also out of reach of any address."""
    segments = (*disk.media.segments, *disk.media.hidden)
    return [
        one.extent for one in segments if isinstance(one.content, Stamped) and one.content.seed.startswith(_USER_DATA)
    ]


def erase_problems(world: World, *, settled: bool) -> Iterator[str]:
    """The report claims nothing that the media refute, and no system is restored beside data of users. ``settled``:
    the system runs; it is the old one, or the unit was erased, and no record is left."""
    remains = {disk.serial for disk in data_disks(world) if user_data(disk)}
    reported = _read(world, ERASE_REPORT)
    if reported is not None:
        yield from _false_claims(reported, remains)
        yield from _machine_claims(reported, world)
    systems = [
        volume.current
        for volume in world.machine.volumes()
        if volume.label == world.branding.primary_label and volume.current.get(f"/{world.branding.flag_file}")
    ]
    if not systems:
        return
    old = any(tree.get(_MARK) is not None for tree in systems)
    if not old and remains:
        yield f"a system was restored, and {', '.join(sorted(remains))} still has data of users"
    if settled and not old:
        if reported is None or json.loads(reported)["verdict"] != "erased":
            yield "the unit was restored without a report of its erase"
        if _read(world, ERASE_FILE) is not None:
            yield "the record of the erase is left"


def _false_claims(reported: bytes, remains: set[str]) -> Iterator[str]:
    try:
        read_object(ERASE_REPORT, reported)
    except BadInput:
        yield "the report of the erase is damaged"
        return
    document = json.loads(reported)
    if document["verdict"] == "erased" and remains:
        yield "the unit is reported as erased, and has data of users"
    for one in document["disks"]:
        if one["verdict"] == "erased" and one["disk"]["serial"] in remains:
            yield f"{one['disk']['serial']} is reported as erased, and has data of users"


def _machine_claims(reported: bytes, world: World) -> Iterator[str]:
    """What is stated as done, and is not."""
    results = {one["name"]: one["status"] for one in json.loads(reported)["options"]}
    chip = world.machine.tpm
    if results.get("TPM") == "done" and (chip is None or chip.owned or _USER_KEY in chip.persistent):
        yield "the TPM is reported as cleared, and holds data of users"
    logs = [name for name in world.machine.nvram if name.vendor == _CRASH_LOGS]
    if results.get("UEFI variables") == "done" and logs:
        yield f"UEFI variables are reported as removed, and {len(logs)} hold data of users"


def _read(world: World, name: str) -> bytes | None:
    names = world.branding
    for volume in world.machine.volumes():
        node = volume.current.get(f"/{names.log_folder}/{name}") if volume.label == names.recovery_label else None
        if node is not None:
            return node.content
    return None
