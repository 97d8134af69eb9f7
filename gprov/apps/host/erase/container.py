"""Composition root of erases on a bench machine: disks that are attached to the machine where the command runs."""

from __future__ import annotations

from gprov.apps.erase.container import EraseContainer
from gprov.apps.host.erase.stop import Stop, StoppableClock
from gprov.apps.unit.composition.wiring import set_value, singleton
from gprov.ports.usage import DiskUsage


def _usage() -> DiskUsage:
    from gprov.adapters.linux.disk.usage import LinuxDiskUsage

    return LinuxDiskUsage()


class BenchContainer(EraseContainer):
    usage = singleton(_usage)


def bench_container(stop: Stop, *, include_loop: bool = False) -> BenchContainer:
    """``include_loop``: accept loop devices, which are disk images, as disks."""
    container = BenchContainer()
    set_value(container.clock, StoppableClock(container.clock(), stop))
    if include_loop:
        from gprov.adapters.linux.disk.block import SysfsBlockDevices
        from gprov.adapters.linux.disk.drive_commands import IoctlDriveCommands

        set_value(container.blocks, SysfsBlockDevices(include_loop=True))
        set_value(container.drive_commands, IoctlDriveCommands(include_loop=True))
    return container
