"""What happens to all disks before the erase of each begins: the installed system must not start any more."""

from __future__ import annotations

from gprov.apps.erase.recorder import EraseRecorder
from gprov.apps.unit.execution.executor import Executor
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk
from gprov.domain.errors import GprovError
from gprov.domain.plan.disk_operations import ClearDisk, DismantleArrays
from gprov.domain.plan.restore import CLEARED_EDGE


def prepare_disks(executor: Executor, disks: tuple[Disk, ...], recorder: EraseRecorder, bus: EventBus) -> None:
    """Stop the arrays, clear both ends of every disk, and record it. Otherwise a unit whose power is cut at the
    beginning could start the system of a disk that is erased in part, and run on it.

    A disk that cannot be cleared (a bad block) is left to its own erase, which reports it. Raises GprovError if the
    arrays cannot be stopped: nothing was erased then.
    """
    executor.run((DismantleArrays(disks),))
    for disk in disks:
        edge = min(CLEARED_EDGE, disk.size // 2)
        try:
            executor.run((ClearDisk(disk, edge, edge),))
        except GprovError as error:
            bus.warning(f"{error}; the erase of {disk.node} goes on")
    recorder.mark_cleared()
