"""Removes gprov's password from an ATA drive: one that an interrupted security erase left there."""

from __future__ import annotations

from gprov.apps.unit.execution.erase.ports import ErasurePorts
from gprov.apps.unit.execution.erase.run_protocol import run_protocol
from gprov.domain.disk.model import Disk
from gprov.domain.erase.ata.password import by_hand
from gprov.domain.erase.ata.release import Released
from gprov.domain.erase.families import release_protocol
from gprov.domain.errors import DeviceFault, GprovError
from gprov.ports.clock import Deadline

_SECONDS = 600.0


def release_drive(disk: Disk, ports: ErasurePorts) -> Released:
    """Another password than gprov's stays. Never raises DeviceFault."""
    released = run_protocol(release_protocol(), ports.commands, disk, ports.clock, Deadline(ports.clock, _SECONDS))
    if released.free:
        try:
            ports.commands.reread(disk)
        except DeviceFault as fault:
            return Released(True, f"{released.detail}; its partitions could not be read again: {fault}")
    return released


def release_after_interruption(disk: Disk, ports: ErasurePorts) -> str:
    """After a request to stop in the middle of a security erase: as far as the drive carries out what is sent to it at
    once, since a clock that was stopped allows no wait. What became of the password, and what to do, for people."""
    try:
        released = release_drive(disk, ports)
    except GprovError as error:
        released = Released(False, f"gprov's password may be set ({error})")
    return released.detail if released.free else f"{released.detail}. {by_hand(disk.node)}"
