"""Start of a simulated BIOS: the first disk with a boot signature is started, whatever its code is. The code is GRUB's
as gprov installs it, or grub4dos as gprovision did."""

from __future__ import annotations

import struct

from gprov.adapters.fake.firmware.grub import Grub, KernelStarted, LoaderExited
from gprov.adapters.fake.firmware.grub4dos import GRUB4DOS_CODE, Grub4Dos
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakeDisk
from gprov.domain.errors import DeviceFault, DeviceMissing

_SECTOR = 512
_CORE_SECTOR = 0x5C
_SCRIPT = _SECTOR + 0x20
_RESTARTS = 2


def bios_start(machine: SimulatedMachine) -> dict[str, str]:
    """Return the kernel arguments (as init reads them) of the started system. Disks are tried in
    ``machine.bios_order``, then in the order in which they were attached. Raises DeviceMissing if nothing can be
    started, DeviceFault where a real machine would hang."""
    choice, machine.menu_choice = list(machine.menu_choice), ()
    for _ in range(_RESTARTS):
        for disk in _order(machine):
            try:
                if GRUB4DOS_CODE in disk.areas.get(0, b""):
                    Grub4Dos(machine, disk, choice).run()
                Grub(machine, disk, choice).run(_script(disk))
            except KernelStarted as started:
                return started.environment
            except LoaderExited as left:
                if left.again:
                    break
        else:
            raise DeviceMissing("firmware", "found nothing to start")
    raise DeviceMissing("firmware", "found nothing to start: the loader restarts the machine again and again")


def _order(machine: SimulatedMachine) -> list[FakeDisk]:
    first = [disk for name in machine.bios_order for disk in machine.present() if disk.serial == name]
    everything = [*first, *(disk for disk in machine.present() if disk not in first)]
    return [disk for disk in everything if disk.table is not None]


def _script(disk: FakeDisk) -> str:
    """Script in the core image to which the first sector points."""
    first = disk.areas.get(0)
    if first is None:
        raise DeviceFault("firmware", f"hangs: {disk.node} bears a signature, but holds no loader")
    (sector,) = struct.unpack_from("<Q", first, _CORE_SECTOR)
    core = disk.areas.get(sector * _SECTOR)
    if core is None:
        raise DeviceFault("firmware", f"hangs: {disk.node} has no core image in sector {sector}")
    return core[_SCRIPT:].rstrip(b"\0").decode()
