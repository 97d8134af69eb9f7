"""The volumes of a stopped unit, of either firmware."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ExtVolume, partitions, raw_view
from gprov.domain.log_files import log_order, stage_of


def recovery_of(unit: VirtualUnit, *, writable: bool = False) -> AbstractContextManager[ExtVolume]:
    return _last_volume(unit.recovery, writable=writable)


def primary_of(unit: VirtualUnit, *, writable: bool = False) -> AbstractContextManager[ExtVolume]:
    return _last_volume(unit.primary(), writable=writable)


def disktags(unit: VirtualUnit) -> list[str]:
    """Names of the files that name the image which was restored."""
    with primary_of(unit) as root:
        return [name for name in root.names("/") if name.endswith(".disktag")]


def newest_log(recovery: ExtVolume, stage: str) -> str:
    """Of two logs of one minute, the second has a number behind its name, which sorts before the first as text."""
    found = [
        (order, name)
        for name in recovery.names("/log")
        if stage_of(name) == stage and (order := log_order(name)) is not None
    ]
    return recovery.read(f"/log/{max(found)[1]}").decode()


@contextmanager
def _last_volume(image: str, *, writable: bool) -> Iterator[ExtVolume]:
    """Before it are the ESP, or with BIOS the partition of the loader."""
    processes = SystemProcesses()
    with raw_view(processes, image, writable=writable) as view:
        yield ExtVolume(processes, view, partitions(processes, view)[-1].start)
