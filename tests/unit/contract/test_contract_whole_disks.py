"""Contract of DiskWriter and DiskReader: overwriting, reading back and discarding whole disks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import FileSystemKind, FileSystemSpec
from gprov.domain.disk.plan_layout import primary_table
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Fill, Pattern, Stamped, pattern_bytes
from gprov.domain.errors import DeviceFault

if TYPE_CHECKING:
    from tests.unit.contract.conftest import World

SIZE = 80 * MIB
WHOLE = Extent(0, SIZE)


def ignore(done: int) -> None:
    """No report."""


@pytest.mark.parametrize("pattern", [Fill(0), Fill(0xFF), Stamped("ab")], ids=["zeros", "ones", "stamped"])
def test_overwriting_leaves_the_pattern_and_nothing_else(world: World, pattern: Pattern) -> None:
    disk = world.partitioner.write(world.blank(SIZE), primary_table(FirmwareKind.UEFI, SIZE, raid=False))
    world.filesystems.make(disk.partitions[0].node, FileSystemSpec(kind=FileSystemKind.EXT4, label="PRIMARY"))
    assert world.reader.compare(disk, (WHOLE,), pattern, ignore).different
    reported: list[int] = []
    outcome = world.writer.overwrite(disk, WHOLE, pattern, reported.append)
    assert (outcome.written, outcome.unwritten, outcome.error) == (SIZE, (), "")
    assert reported[-1] == SIZE
    assert reported == sorted(reported)
    found = world.reader.compare(disk, (WHOLE,), pattern, ignore)
    assert (found.examined, found.different, found.unreadable, found.error) == (SIZE, (), (), "")
    part = Extent(SIZE - 4096, SIZE)
    assert world.reader.read(disk, part) == pattern_bytes(pattern, part.start, part.size)
    now = next(one for one in world.blocks.disks() if one.device == disk.device)
    assert now.partitions == ()
    assert world.blocks.contents(disk.node).blank


def test_differences_are_stated_by_sector(world: World) -> None:
    disk = world.blank(SIZE)
    world.writer.overwrite(disk, WHOLE, Stamped("ab"), ignore)
    world.writer.write(disk, 8 * MIB, b"x" * 1024)
    found = world.reader.compare(disk, (WHOLE,), Stamped("ab"), ignore)
    assert found.different == (Extent(8 * MIB, 8 * MIB + 1024),)
    assert world.reader.read(disk, Extent(8 * MIB, 8 * MIB + 512)) == b"x" * 512
    assert world.reader.compare(disk, (Extent(0, MIB), Extent(9 * MIB, SIZE)), Stamped("ab"), ignore).different == ()


def test_discarded_ranges_lose_their_content(world: World) -> None:
    disk = world.blank(SIZE)
    world.writer.overwrite(disk, WHOLE, Fill(0xFF), ignore)
    world.writer.discard(disk, WHOLE)
    assert world.reader.compare(disk, (WHOLE,), Fill(0xFF), ignore).different == (WHOLE,)


def test_other_disks_and_disks_in_use_are_left_alone(world: World) -> None:
    node = world.formatted(FileSystemKind.EXT4, SIZE)
    disk = next(one for one in world.blocks.disks() if any(part.node == node for part in one.partitions))
    assert world.reader.size(disk) == SIZE
    before = world.reader.read(disk, Extent(0, MIB))
    with pytest.raises(DeviceFault):
        world.writer.overwrite(replace(disk, serial="other"), WHOLE, Fill(0), ignore)
    assert world.reader.compare(replace(disk, serial="other"), (WHOLE,), Fill(0), ignore).error
    with pytest.raises(DeviceFault):
        world.writer.write(disk, SIZE, bytes(512))
    world.mounts.mount(node, world.path("volume"), "ext4")
    with pytest.raises(DeviceFault):
        world.writer.overwrite(disk, WHOLE, Fill(0), ignore)
    with pytest.raises(DeviceFault):
        world.writer.write(disk, MIB, bytes(512))
    with pytest.raises(DeviceFault):
        world.writer.discard(disk, WHOLE)
    world.mounts.unmount(world.path("volume"))
    assert world.reader.read(disk, Extent(0, MIB)) == before
