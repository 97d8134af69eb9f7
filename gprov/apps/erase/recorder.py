"""Keeps the record of an erase on RECOVERY up to date while the disks are erased."""

from __future__ import annotations

import threading
from dataclasses import replace

from typing_extensions import override

from gprov.apps.unit.execution.erase.observer import ErasureObserver
from gprov.apps.unit.recovery.erase_record import EraseRecordFile
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.pause import format_duration
from gprov.domain.disk.model import Disk
from gprov.domain.erase.record import DiskProgress, EraseRecord, RecordState
from gprov.domain.errors import DeviceFault
from gprov.domain.estimate import FRACTION, Estimate
from gprov.domain.formats.efi.variables import VariableName
from gprov.ports.clock import Clock

# How much an overwrite may have to repeat after a power cut, against wear of a small RECOVERY.
RECORD_SECONDS = 60.0
# Between two messages about the progress of one disk.
MESSAGE_SECONDS = 60.0


class EraseRecorder(ErasureObserver):
    """The disks report from their threads. A RECOVERY that cannot be written does not stop an erase: it is reported
    once, and after a power cut the erase is then not resumed, or begins anew."""

    def __init__(self, record: EraseRecord, file: EraseRecordFile, clock: Clock, bus: EventBus) -> None:
        self._record = record
        self._file = file
        self._clock = clock
        self._bus = bus
        self._lock = threading.Lock()
        self._written = clock.monotonic()
        self._failed = False
        self._estimates: dict[str, Estimate] = {}
        self._reported: dict[str, float] = {}

    @property
    def started_ns(self) -> int:
        """When the erase was begun, perhaps in an earlier start of the unit."""
        return self._record.started_ns

    def start(self) -> DeviceFault | None:
        """Write the record for the first time in this start of the unit; why that failed, None if it did not."""
        with self._lock:
            return self._write()

    def mark_cleared(self) -> None:
        """Both ends of all disks are cleared."""
        with self._lock:
            self._record = replace(self._record, cleared=True)
            self._write()

    def begin_anew(self) -> None:
        """From now on a power cut repeats the erase of every disk: what is written next differs from what an erase
        leaves."""
        with self._lock:
            anew = (replace(one, technique=None, completed=False, pass_number=0, done=0) for one in self._record.disks)
            self._record = replace(self._record, disks=tuple(anew))
            self._write()

    @property
    def variables(self) -> tuple[VariableName, ...]:
        """Variables that an earlier start of this erase was about to remove."""
        return self._record.variables

    def mark_variables(self, names: tuple[VariableName, ...]) -> None:
        """These variables are about to be removed."""
        with self._lock:
            self._record = replace(self._record, variables=names)
            self._write()

    def mark_failed(self, summary: str) -> None:
        """The erase ended, and at least one disk is not erased."""
        with self._lock:
            self._record = replace(self._record, state=RecordState.FAILED, summary=summary)
            self._write()

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
        name = f"{task} {disk.node}"
        self._bus.progress(name, done, total)
        with self._lock:
            now = self._clock.monotonic()
            estimate = self._estimates.setdefault(name, Estimate(total))
            estimate.add(now, done)
            due = now - self._reported.setdefault(name, now) >= MESSAGE_SECONDS
            if due:
                self._reported[name] = now
        if due:
            self._bus.message(progress_text(name, done, total, estimate))

    def _put(self, progress: DiskProgress) -> None:
        disks = tuple(
            progress if (one.identity, one.size) == (progress.identity, progress.size) else one
            for one in self._record.disks
        )
        self._record = replace(self._record, disks=disks)

    def _write(self) -> DeviceFault | None:
        self._written = self._clock.monotonic()
        try:
            self._file.write(self._record)
        except DeviceFault as fault:
            if not self._failed:
                self._failed = True
                self._bus.warning(f"the erase cannot be recorded, so it is not resumed after a power cut: {fault}")
            return fault
        return None


def progress_text(name: str, done: int, total: int, estimate: Estimate) -> str:
    """For a person: share, rate and remaining time, as far as they are known."""
    parts = [f"{name}: {100 * done // max(total, 1)} %"]
    if estimate.rate is not None and total > FRACTION:
        parts.append(f"{estimate.rate / 1e6:.0f} MB/s")
    if estimate.seconds_left is not None:
        parts.append(f"about {format_duration(estimate.seconds_left)} left")
    return ", ".join(parts)
