"""Making and checking file systems of the simulated machine."""

from __future__ import annotations

from dataclasses import replace

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakeVolume, Tree
from gprov.adapters.fake.machine.writes import raise_write_fault, refuse_member, refuse_protected
from gprov.domain.disk.model import CheckVerdict, FileSystemKind, FileSystemSpec
from gprov.domain.errors import DeviceFault
from gprov.ports.destructive.filesystem_maker import FileSystemMaker
from gprov.ports.filesystem import FileSystems


class FakeFileSystems(FileSystems, FileSystemMaker):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def make(self, node: str, spec: FileSystemSpec) -> None:
        spec.check_label()
        self._machine.begin_write(f"format {node}")
        disk, part = self._machine.partition(node)
        self._refuse_mounted(node, part.volume)
        refuse_member(self._machine, node, part)
        refuse_protected(disk)
        made = FakeVolume(kind=spec.kind, label=spec.label, uuid=spec.uuid or self._machine.new_uuid(), size=part.size)
        # A power cut leaves the old contents, unknown contents, the first block of the new file system, or all of it.
        half = replace(made, current=Tree(), durable=Tree(), in_place=Tree(), damaged=True, repairable=False)
        part.unflushed = ((part.volume, part.member), (None, None), (half, None), (made, None))
        self._machine.note_array_write(part)
        disk.writes += 1
        self._machine.begin_write(f"format {node}: under way")
        raise_write_fault(self._machine, disk, f"format {node}", part)
        part.volume, part.member, part.unflushed = made, None, ()
        self._machine.mark(disk, part, made.uuid)

    @override
    def check(self, node: str, kind: FileSystemKind) -> CheckVerdict:
        self._machine.begin_write(f"check {node}")
        disk, part = self._machine.partition(node)
        volume = part.volume
        self._refuse_mounted(node, volume)
        if volume is None or (volume.damaged and not volume.repairable):
            return CheckVerdict.BEYOND_REPAIR
        if volume.damaged or volume.lost_bytes:
            refuse_protected(disk)
            volume.damaged, volume.lost_bytes = False, 0
            self._machine.note_array_write(part)
            return CheckVerdict.REPAIRED
        return CheckVerdict.CLEAN

    def _refuse_mounted(self, node: str, volume: FakeVolume | None) -> None:
        for mount in self._machine.mounts:
            if mount.volume is volume:
                raise DeviceFault(node, f"is mounted at {mount.point.target}")
