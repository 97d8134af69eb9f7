"""DiskUsage of the simulated machine: mounted volumes and members of running arrays."""

from __future__ import annotations

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.running_arrays import array_with_member
from gprov.domain.disk.model import Disk
from gprov.ports.usage import DiskUsage


class FakeDiskUsage(DiskUsage):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def reason(self, disk: Disk) -> str:
        fake = self._machine.disk(disk.device)
        if any(array_with_member(self._machine.running, part) is not None for part in fake.partitions):
            return "is in use: held by an array"
        volumes = fake.volumes()
        mounted = any(mount.volume is volume for mount in self._machine.mounts for volume in volumes)
        return "is in use: a partition is mounted" if mounted else ""
