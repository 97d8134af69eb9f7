"""What the Arrays port promises, as functions that are run on the simulated machine and on a real kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gprov.domain.disk.arrays import RunningArray, works_with
from gprov.domain.disk.arrayspec import ArraySpec, array_spec
from gprov.domain.disk.model import FileSystemKind, FileSystemSpec
from gprov.domain.errors import DeviceFault, GprovError
from gprov.domain.formats.disk.md_superblock import MemberRecord
from gprov.domain.platform.model import RaidLevel
from gprov.ports.arrays import Arrays
from gprov.ports.block import BlockDevices
from gprov.ports.destructive.array_writer import ArrayWriter
from gprov.ports.destructive.filesystem_maker import FileSystemMaker
from gprov.ports.files import Files
from gprov.ports.filesystem import Mounts

EXT4 = FileSystemSpec(kind=FileSystemKind.EXT4, label="PRIMARY")
LEVELS = {RaidLevel.RAID0: 2, RaidLevel.RAID1: 2, RaidLevel.RAID10: 4, RaidLevel.RAID5: 3, RaidLevel.RAID6: 4}


class WholeArrays(Arrays, ArrayWriter, Protocol):
    """Both ports: what one creates, the other examines and assembles."""


@dataclass(frozen=True)
class Bench:
    """``nodes``: partitions of equal size, at least four. ``folder``: where to mount."""

    arrays: WholeArrays
    blocks: BlockDevices
    filesystems: FileSystemMaker
    mounts: Mounts
    files: Files
    nodes: tuple[str, ...]
    folder: str

    def record(self, node: str) -> MemberRecord:
        found = self.arrays.examine(node)
        assert found is not None, f"{node} says nothing"
        return found

    def write(self, array: RunningArray, name: str, content: bytes) -> None:
        self.mounts.mount(array.node, self.folder, "ext4")
        self.files.replace(f"{self.folder}/{name}", content)
        self.mounts.unmount(self.folder)

    def read(self, array: RunningArray, name: str) -> bytes:
        self.mounts.mount(array.node, self.folder, "ext4", ("ro",))
        try:
            return self.files.read(f"{self.folder}/{name}")
        finally:
            self.mounts.unmount(self.folder)


def spec_of(level: RaidLevel, number: int = 1) -> ArraySpec:
    return array_spec("PRIMARY", "gp-unit", bytes([level.value, number] * 8), level)


def clean(bench: Bench) -> None:
    for array in bench.arrays.running():
        bench.arrays.stop(array)
    bench.arrays.zero_superblocks(bench.nodes)


def fails(action: Callable[..., object], *arguments: object) -> bool:
    try:
        action(*arguments)
    except GprovError:
        return True
    return False


def what_was_forgotten_is_no_member(bench: Bench) -> None:
    assert [bench.arrays.examine(node) for node in bench.nodes] == [None] * len(bench.nodes)
    assert bench.arrays.running() == ()


def a_new_array_runs_with_all_its_members(bench: Bench) -> None:
    for level, count in LEVELS.items():
        clean(bench)
        spec, nodes = spec_of(level), bench.nodes[:count]
        made = bench.arrays.create(spec, nodes)
        assert bench.arrays.running() == (made,)
        assert (made.uuid, made.disks, made.working, len(made.members)) == (spec.uuid, count, count, count), made
        for slot, node in enumerate(nodes):
            record = bench.record(node)
            assert (record.array, record.name, record.level) == (spec.uuid, "gp-unit:PRIMARY", level.value)
            assert (record.slot, record.disks, record.rebuilding) == (slot, count, False), (level, record)
            assert record.active == frozenset(range(count)), (level, record)
            contents = bench.blocks.contents(node)
            assert (contents.kind, contents.uuid) == ("linux_raid_member", spec.uuid)


def an_array_keeps_its_data_while_it_is_stopped(bench: Bench) -> None:
    for level, count in LEVELS.items():
        clean(bench)
        spec, nodes = spec_of(level), bench.nodes[:count]
        made = bench.arrays.create(spec, nodes)
        bench.filesystems.make(made.node, EXT4)
        bench.write(made, "file", b"kept")
        bench.arrays.stop(made)
        assert bench.arrays.running() == ()
        again = bench.arrays.assemble(spec.uuid, nodes)
        assert (again.uuid, again.working) == (spec.uuid, count)
        assert bench.blocks.contents(again.node).label == "PRIMARY"
        assert bench.read(again, "file") == b"kept"


def members_may_be_missing_as_the_level_says(bench: Bench) -> None:
    for level, count in LEVELS.items():
        for missing in range(count):
            clean(bench)
            spec, nodes = spec_of(level), bench.nodes[:count]
            made = bench.arrays.create(spec, nodes)
            bench.filesystems.make(made.node, EXT4)
            bench.write(made, "file", b"kept")
            bench.arrays.stop(made)
            slots = [slot for slot in range(count) if slot != missing]
            rest = [nodes[slot] for slot in slots]
            layout = bench.record(nodes[0]).layout
            if not works_with(level.value, layout, count, slots):
                assert fails(bench.arrays.assemble, spec.uuid, rest), level
                assert bench.arrays.running() == ()
                continue
            degraded = bench.arrays.assemble(spec.uuid, rest)
            assert (degraded.working, len(degraded.members)) == (count - 1, count - 1), degraded
            assert bench.read(degraded, "file") == b"kept", (level, missing)


def looking_changes_no_member(bench: Bench) -> None:
    spec, nodes = spec_of(RaidLevel.RAID1), bench.nodes[:2]
    made = bench.arrays.create(spec, nodes)
    bench.filesystems.make(made.node, EXT4)
    bench.arrays.stop(made)
    before = [bench.record(node) for node in nodes]
    for members in (nodes, nodes[:1]):
        array = bench.arrays.assemble(spec.uuid, members)
        assert fails(bench.read, array, "none")
        bench.arrays.stop(array)
        assert [bench.record(node) for node in nodes] == before


def who_is_not_there_when_something_is_written_falls_behind(bench: Bench) -> None:
    spec, nodes = spec_of(RaidLevel.RAID1), bench.nodes[:2]
    made = bench.arrays.create(spec, nodes)
    bench.filesystems.make(made.node, EXT4)
    bench.arrays.stop(made)
    old = bench.record(nodes[0])
    alone = bench.arrays.assemble(spec.uuid, nodes[1:])
    bench.write(alone, "file", b"newer")
    bench.arrays.stop(alone)
    new = bench.record(nodes[1])
    assert new.events > old.events
    assert new.active == frozenset({1})
    assert bench.record(nodes[0]) == old


def an_array_in_use_is_not_stopped_nor_forgotten(bench: Bench) -> None:
    spec, nodes = spec_of(RaidLevel.RAID1), bench.nodes[:2]
    made = bench.arrays.create(spec, nodes)
    bench.filesystems.make(made.node, EXT4)
    bench.mounts.mount(made.node, bench.folder, "ext4")
    assert fails(bench.arrays.stop, made)
    assert bench.arrays.running() == (made,)
    bench.mounts.unmount(bench.folder)
    try:
        bench.arrays.zero_superblocks(nodes)
    except DeviceFault:
        pass
    else:
        raise AssertionError("members of a running array forgot it")
    assert bench.record(nodes[0]).array == spec.uuid


def a_new_array_takes_what_older_ones_left(bench: Bench) -> None:
    first = bench.arrays.create(spec_of(RaidLevel.RAID5, 1), bench.nodes[:3])
    bench.filesystems.make(first.node, EXT4)
    bench.arrays.stop(first)
    spec = spec_of(RaidLevel.RAID1, 2)
    second = bench.arrays.create(spec, bench.nodes[1:3])
    assert second.uuid == spec.uuid
    assert [bench.record(node).array for node in bench.nodes[1:3]] == [spec.uuid] * 2
    assert bench.record(bench.nodes[0]).array == spec_of(RaidLevel.RAID5, 1).uuid


def two_arrays_run_side_by_side(bench: Bench) -> None:
    specs = [spec_of(RaidLevel.RAID1, number) for number in (1, 2)]
    made = [bench.arrays.create(spec, bench.nodes[2 * at : 2 * at + 2]) for at, spec in enumerate(specs)]
    assert len({array.node for array in made}) == 2
    assert {array.uuid for array in bench.arrays.running()} == {spec.uuid for spec in specs}


def members_of_different_arrays_are_not_put_together(bench: Bench) -> None:
    specs = [spec_of(RaidLevel.RAID1, number) for number in (1, 2)]
    for at, spec in enumerate(specs):
        bench.arrays.stop(bench.arrays.create(spec, bench.nodes[2 * at : 2 * at + 2]))
    assert fails(bench.arrays.assemble, specs[0].uuid, (bench.nodes[0], bench.nodes[3]))
    assert bench.arrays.running() == ()


CONTRACT = (
    what_was_forgotten_is_no_member,
    a_new_array_runs_with_all_its_members,
    an_array_keeps_its_data_while_it_is_stopped,
    members_may_be_missing_as_the_level_says,
    looking_changes_no_member,
    who_is_not_there_when_something_is_written_falls_behind,
    an_array_in_use_is_not_stopped_nor_forgotten,
    a_new_array_takes_what_older_ones_left,
    two_arrays_run_side_by_side,
    members_of_different_arrays_are_not_put_together,
)
