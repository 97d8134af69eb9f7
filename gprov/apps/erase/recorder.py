"""Keeps the record of an erase on RECOVERY up to date while the disks are erased."""

from __future__ import annotations

import threading
from dataclasses import replace

from typing_extensions import override

from gprov.apps.unit.execution.erase.observer import ErasureObserver
from gprov.apps.unit.recovery.erase_record import EraseRecordFile
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk
from gprov.domain.erase.record import DiskProgress, EraseRecord
from gprov.domain.errors import DeviceFault
from gprov.ports.clock import Clock

# How much an overwrite may have to repeat after a power cut, against wear of a small RECOVERY.
RECORD_SECONDS = 60.0


class EraseRecorder(ErasureObserver):
    """The disks report from their threads. A RECOVERY that cannot be written does not stop an erase: it is reported
    once, and a power cut then begins the erase of the disks anew."""

    def __init__(self, record: EraseRecord, file: EraseRecordFile, clock: Clock, bus: EventBus) -> None:
        self._record = record
        self._file = file
        self._clock = clock
        self._bus = bus
        self._lock = threading.Lock()
        self._written = clock.monotonic()
        self._failed = False

    @property
    def record(self) -> EraseRecord:
        return self._record

    def mark_cleared(self) -> None:
        """Both ends of all disks are cleared. Raises DeviceFault: without it, a power cut would drop the erase."""
        with self._lock:
            self._record = replace(self._record, cleared=True)
            self._file.write(self._record)

    @override
    def begun(self, disk: Disk, progress: DiskProgress) -> None:
        with self._lock:
            self._put(progress)
            self._write()

    @override
    def advanced(self, disk: Disk, progress: DiskProgress) -> None:
        with self._lock:
            self._put(progress)
            if self._clock.monotonic() - self._written >= RECORD_SECONDS:
                self._write()

    @override
    def shown(self, disk: Disk, task: str, done: int, total: int) -> None:
        self._bus.progress(f"{task} {disk.node}", done, total)

    def _put(self, progress: DiskProgress) -> None:
        disks = tuple(
            progress if (one.identity, one.size) == (progress.identity, progress.size) else one
            for one in self._record.disks
        )
        self._record = replace(self._record, disks=disks)

    def _write(self) -> None:
        self._written = self._clock.monotonic()
        try:
            self._file.write(self._record)
        except DeviceFault as fault:
            if not self._failed:
                self._failed = True
                self._bus.warning(f"the progress of the erase cannot be recorded, a power cut repeats it: {fault}")
