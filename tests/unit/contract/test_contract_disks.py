"""Contract of BlockDevices, Partitioner and FileSystems: disks from zeros to file systems, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import MIB, PartitionTable
from gprov.domain.disk.model import CheckVerdict, Contents, Disk, FileSystemKind, FileSystemSpec
from gprov.domain.disk.plan_layout import primary_table, recovery_table
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing

if TYPE_CHECKING:
    from tests.unit.contract.conftest import Volume, World


SIZE = 300 * MIB
UEFI, BIOS = FirmwareKind.UEFI, FirmwareKind.BIOS
TABLES = {
    "recovery-uefi": recovery_table(UEFI, SIZE),
    "recovery-bios": recovery_table(BIOS, SIZE),
    "primary-uefi": primary_table(UEFI, SIZE, raid=False),
    "primary-bios": primary_table(BIOS, SIZE, raid=False),
    "member": primary_table(UEFI, SIZE, raid=True),
}
EXT4 = FileSystemSpec(kind=FileSystemKind.EXT4, label="PRIMARY")


def now(world: World, disk: Disk) -> Disk:
    return next(found for found in world.blocks.disks() if found.device == disk.device)


def test_a_blank_disk(world: World) -> None:
    disk = world.blank(SIZE)
    assert (disk.size, disk.sector_size, disk.partitions, disk.read_only) == (SIZE, 512, (), False)
    assert world.blocks.contents(disk.node) == Contents()
    assert world.blocks.contents(disk.node).blank
    assert world.blocks.read(disk.node, 0, 4096) == world.blocks.read(disk.node, SIZE - 4096, 4096) == bytes(4096)


def test_reading_behind_the_end_is_an_error(world: World) -> None:
    disk = world.blank(SIZE)
    with pytest.raises(DeviceFault):
        world.blocks.read(disk.node, SIZE - 100, 200)
    with pytest.raises(DeviceMissing):
        world.blocks.read("/dev/no-such-disk", 0, 1)
    with pytest.raises(DeviceMissing):
        world.blocks.contents("/dev/no-such-disk")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_there_when_write_returns(world: World, name: str) -> None:
    disk, table = world.blank(SIZE), TABLES[name]
    written = world.partitioner.write(disk, table)
    assert written.device == disk.device
    assert world.blocks.disks().count(written) == 1
    planned = [(part.number, part.start, part.size) for part in table.partitions]
    assert [(part.number, part.start, part.size) for part in written.partitions] == planned
    nodes = {part.node for part in written.partitions}
    uuids = {part.uuid for part in written.partitions}
    assert len(nodes) == len(uuids) == len(planned)
    assert "" not in uuids
    if name.endswith("uefi"):
        assert [part.label for part in written.partitions] == [part.label for part in table.partitions]
    for part in written.partitions:
        assert world.blocks.contents(part.node).blank
    assert any(world.blocks.read(disk.node, 0, 512))
    assert world.blocks.contents(disk.node).kind == ""


def test_a_table_replaces_another(world: World) -> None:
    disk = world.blank(SIZE)
    first = world.partitioner.write(disk, TABLES["primary-bios"])
    second = world.partitioner.write(first, TABLES["primary-uefi"])
    assert len(now(world, disk).partitions) == len(second.partitions) == 1
    third = world.partitioner.write(second, PartitionTable(TABLES["recovery-uefi"].kind))
    assert now(world, disk).partitions == third.partitions == ()


def test_clear_removes_partitions_and_leaves_zeros(world: World) -> None:
    disk = world.partitioner.write(world.blank(SIZE), TABLES["recovery-uefi"])
    world.partitioner.clear(disk, 16 * MIB, 16 * MIB)
    assert now(world, disk).partitions == ()
    assert world.blocks.contents(disk.node).blank
    assert not any(world.blocks.read(disk.node, 0, MIB))
    assert not any(world.blocks.read(disk.node, SIZE - MIB, MIB))


def test_clear_of_more_than_there_is(world: World) -> None:
    disk = world.blank(80 * MIB)
    world.partitioner.write(disk, primary_table(UEFI, 80 * MIB, raid=False))
    world.partitioner.clear(disk, 100 * MIB, 200 * MIB)
    assert now(world, disk).partitions == ()


def test_what_a_clear_did_not_reach_shows_again(world: World) -> None:
    """A table is a list of places: what was there before is found in them."""
    disk = world.partitioner.write(world.blank(SIZE), TABLES["primary-bios"])
    inside, outside = disk.partitions
    for part in disk.partitions:
        world.filesystems.make(part.node, EXT4)
    kept = world.blocks.contents(outside.node)
    world.partitioner.clear(disk, 16 * MIB, MIB)
    again = world.partitioner.write(now(world, disk), TABLES["primary-bios"])
    assert world.blocks.contents(again.partitions[0].node).blank
    assert world.blocks.contents(again.partitions[1].node) == kept
    assert kept.label == "PRIMARY"
    assert (inside.start, outside.start) == (again.partitions[0].start, again.partitions[1].start)


def test_disks_in_use_are_not_touched(world: World) -> None:
    disk = world.partitioner.write(world.blank(SIZE), TABLES["primary-uefi"])
    node = disk.partitions[0].node
    world.filesystems.make(node, EXT4)
    world.mounts.mount(node, world.path("volume"), "ext4")
    world.files.replace(world.path("volume/file"), b"precious")
    with pytest.raises(DeviceFault):
        world.partitioner.clear(disk, MIB, MIB)
    with pytest.raises(DeviceFault):
        world.partitioner.write(disk, TABLES["recovery-bios"])
    with pytest.raises(DeviceFault):
        world.filesystems.make(node, EXT4)
    assert now(world, disk).partitions == disk.partitions
    world.mounts.unmount(world.path("volume"))
    world.mounts.mount(node, world.path("volume"), "ext4")
    assert world.files.read(world.path("volume/file")) == b"precious"


@pytest.mark.parametrize(
    "changed", [{"serial": "other"}, {"wwn": "naa.5000"}, {"size": SIZE + MIB}, {"path": "/devices/x"}, {"slot": "x"}]
)
def test_another_disk_under_the_same_number_is_not_touched(world: World, changed: dict[str, Any]) -> None:
    """The chosen one was pulled, and this one was plugged in since."""
    disk = world.partitioner.write(world.blank(SIZE), TABLES["primary-uefi"])
    world.filesystems.make(disk.partitions[0].node, EXT4)
    before = world.blocks.contents(disk.partitions[0].node)
    chosen = replace(disk, **changed)
    with pytest.raises(DeviceFault):
        world.partitioner.clear(chosen, 16 * MIB, 16 * MIB)
    with pytest.raises(DeviceFault):
        world.partitioner.write(chosen, TABLES["recovery-bios"])
    assert now(world, disk) == disk
    assert world.blocks.contents(disk.partitions[0].node) == before


@pytest.mark.parametrize(
    "spec",
    [
        FileSystemSpec(kind=FileSystemKind.EXT2, label="two"),
        FileSystemSpec(kind=FileSystemKind.EXT3, label="RECOVERY"),
        FileSystemSpec(kind=FileSystemKind.EXT4, label="PRIMARY", reserved_percent=1, encrypt=True),
        FileSystemSpec(kind=FileSystemKind.VFAT, label="ESP"),
    ],
    ids=lambda spec: spec.kind.value,
)
def test_a_file_system_is_found_as_it_was_made(world: World, spec: FileSystemSpec) -> None:
    disk = world.partitioner.write(world.blank(80 * MIB), primary_table(UEFI, 80 * MIB, raid=False))
    node = disk.partitions[0].node
    seen = set()
    for _ in range(2):
        world.filesystems.make(node, spec)
        found = world.blocks.contents(node)
        assert (found.kind, found.label, found.ambivalent, found.blank) == (spec.kind.value, spec.label, False, False)
        seen.add(found.uuid)
    assert len(seen - {""}) == 2


@pytest.mark.parametrize(
    ("kind", "label"), [(FileSystemKind.EXT4, "seventeen letters"), (FileSystemKind.VFAT, "twelve chars")]
)
def test_a_label_that_does_not_fit_is_refused_before_anything_is_written(
    world: World, kind: FileSystemKind, label: str
) -> None:
    node = world.formatted(kind, label="fits")
    with pytest.raises(BadInput):
        world.filesystems.make(node, FileSystemSpec(kind=kind, label=label))
    assert world.blocks.contents(node).label == "fits"


def test_nothing_is_made_where_nothing_is(world: World) -> None:
    for node in ("/dev/no-such-disk", "/dev/no-such-disk1"):
        with pytest.raises(DeviceFault):
            world.filesystems.make(node, EXT4)
        with pytest.raises(DeviceFault):
            world.filesystems.check(node, FileSystemKind.EXT4)


def test_checks(world: World, kind: FileSystemKind) -> None:
    node = world.formatted(kind)
    assert world.filesystems.check(node, kind) is CheckVerdict.CLEAN
    world.mounts.mount(node, world.path("volume"), kind.value)
    world.files.replace(world.path("volume/file"), b"x")
    world.mounts.unmount(world.path("volume"))
    assert world.filesystems.check(node, kind) is CheckVerdict.CLEAN


def test_what_is_no_file_system_is_beyond_repair(world: World) -> None:
    disk = world.partitioner.write(world.blank(80 * MIB), primary_table(UEFI, 80 * MIB, raid=False))
    assert world.filesystems.check(disk.partitions[0].node, FileSystemKind.EXT4) is CheckVerdict.BEYOND_REPAIR


def test_a_mounted_file_system_is_not_checked(ext: Volume) -> None:
    with pytest.raises(DeviceFault):
        ext.world.filesystems.check(ext.node, FileSystemKind.EXT4)
