"""Software RAID arrays of the simulated machine."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakeArray, FakeMember, FakePartition, RunningFakeArray
from gprov.adapters.fake.machine.writes import raise_write_fault, refuse_member, refuse_protected
from gprov.domain.disk.arrays import RunningArray, works_with
from gprov.domain.disk.arrayspec import ArraySpec, capacity
from gprov.domain.errors import DeviceFault, ToolFailed
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.disk.md_superblock import MemberRecord
from gprov.domain.platform.model import RaidLevel
from gprov.ports.arrays import Arrays
from gprov.ports.destructive.array_writer import ArrayWriter

_MD_MAJOR = 9
_MAX_NUMBER = 127
# mdadm's default layouts: two near copies; parity left-symmetric.
_LAYOUTS = {RaidLevel.RAID10: 0x102, RaidLevel.RAID5: 2, RaidLevel.RAID6: 2}


class FakeArrays(Arrays, ArrayWriter):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def examine(self, node: str) -> MemberRecord | None:
        part = self._machine.partition(node)[1]
        member = part.member
        if member is None:
            return None
        array = member.array
        return MemberRecord(
            array=array.uuid,
            name=array.name,
            level=array.level,
            layout=array.layout,
            disks=array.disks,
            slot=member.slot,
            active=member.active,
            events=member.events,
            rebuilding=False,
            clean=True,
            device=part.uuid,
        )

    @override
    def running(self) -> tuple[RunningArray, ...]:
        return tuple(
            RunningArray(
                node=one.node,
                device=one.array.device.device,
                uuid=one.array.uuid,
                disks=one.array.disks,
                working=len(one.members),
                members=frozenset(part.device for part in one.members),
            )
            for one in self._machine.running
        )

    @override
    def create(self, spec: ArraySpec, nodes: Sequence[str]) -> RunningArray:
        """Writes the superblocks one by one: a power cut is possible at each."""
        machine = self._machine
        parts = [machine.partition(node)[1] for node in nodes]
        layout = _LAYOUTS.get(spec.level, 0)
        size = capacity(spec.level, [part.size for part in parts])
        device = FakePartition(number=0, start=0, size=size, label="", uuid="", device=self._free_number())
        array = FakeArray(
            uuid=spec.uuid, name=spec.full_name, level=spec.level.value, layout=layout, disks=len(nodes), device=device
        )
        slots = frozenset(range(len(nodes)))
        for slot, (node, part) in enumerate(zip(nodes, parts, strict=True)):
            machine.begin_write(f"write RAID superblock {node}")
            refuse_member(machine, node, part)
            disk = machine.partition(node)[0]
            refuse_protected(disk)
            made = FakeMember(array, slot, slots)
            part.unflushed = ((part.volume, part.member), (None, None), (None, made))
            disk.writes += 1
            machine.begin_write(f"write RAID superblock {node}: under way")
            raise_write_fault(machine, disk, f"write RAID superblock {node}", part)
            part.volume, part.member, part.unflushed = None, made, ()
            machine.mark(disk, part, f"{spec.uuid} {slot}")
        return self._start(array, parts)

    @override
    def assemble(self, uuid: str, nodes: Sequence[str]) -> RunningArray:
        self._machine.begin_write(f"assemble {' '.join(nodes)}")
        parts = [self._machine.partition(node)[1] for node in nodes]
        members = {part.member.slot: (part, part.member) for part in parts if part.member is not None}
        arrays = {member.array.uuid: member.array for _, member in members.values()}
        array = arrays.get(uuid)
        if array is None or len(arrays) != 1 or len(members) != len(nodes):
            raise ToolFailed("mdadm", f"no array {uuid} of these members")
        if not works_with(array.level, array.layout, array.disks, members):
            raise ToolFailed("mdadm", "not enough members to start the array")
        for node, part in zip(nodes, parts, strict=True):
            refuse_member(self._machine, node, part)
        return self._start(array, [members[slot][0] for slot in sorted(members)])

    @override
    def stop(self, array: RunningArray) -> None:
        self._machine.begin_write(f"stop {array.node}")
        one = next((one for one in self._machine.running if one.node == array.node), None)
        if one is None:
            raise ToolFailed("mdadm", f"{array.node} is not running")
        if any(mount.volume is one.array.device.volume for mount in self._machine.mounts):
            raise DeviceFault(array.node, "is in use")
        if one.array.device.volume is not None:
            one.array.device.volume.sync()
        self._machine.running.remove(one)

    @override
    def zero_superblocks(self, nodes: Sequence[str]) -> None:
        """Written one after the other and then flushed: power that goes meanwhile leaves any of them."""
        parts = []
        for node in nodes:
            self._machine.begin_write(f"forget RAID superblock {node}")
            disk, part = self._machine.partition(node)
            refuse_member(self._machine, node, part)
            refuse_protected(disk)
            part.unflushed = ((part.volume, part.member), (part.volume, None))
            disk.writes += 1
            parts.append(part)
        self._machine.begin_write(f"flush {' '.join(nodes)}")
        for part in parts:
            part.member, part.unflushed = None, ()

    def _start(self, array: FakeArray, parts: Sequence[FakePartition]) -> RunningArray:
        self._machine.begin_write(f"start array {array.name}")
        array.device.device = self._free_number()
        node = f"/dev/md{array.device.device.minor}"
        self._machine.running.append(RunningFakeArray(array, node, tuple(parts)))
        return next(running for running in self.running() if running.node == node)

    def _free_number(self) -> DeviceNumber:
        return DeviceNumber(_MD_MAJOR, _MAX_NUMBER - len(self._machine.running))
