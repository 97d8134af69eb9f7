"""Computes the content of a unit's media after a power cut at an instant of a recording.

Flushed requests are present. Of the requests after the last flush, any subset may be present: whole requests, and one
that was written in part (a multiple of the sector size). If the guest never flushes a disk, because the disk reports
no write cache, only its last request may be missing. NVRAM holds the variable store of that instant.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.apps.host.lab.recording import Instant, Recording
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import raw_view
from gprov.apps.host.lab.writelog import LoggedRequest, durable
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceFault
from gprov.ports.process import Processes

_AMONG_ALL, _BY_STORE = 0.3, 0.2
# Share of the cuts that may be at an instant without unflushed requests on any disk; attempts to find another instant.
_IDLE_SHARE = 0.15
_TRIES = 100
_SECTOR = 512
_PIECE = 1 << 20
_CLUSTER = 1 << 16  # of qcow2
_PUNCH_HOLE = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE


class UnflushedOutcome(Enum):
    """Which of the unflushed requests are present after the cut."""

    ALL = "all"
    NONE = "none"
    SOME = "some"
    FIRST = "first"  # up to one of them, which is written in part


_OUTCOME_WEIGHTS = {
    UnflushedOutcome.ALL: 1,
    UnflushedOutcome.NONE: 3,
    UnflushedOutcome.SOME: 4,
    UnflushedOutcome.FIRST: 3,
}


@dataclass(frozen=True, slots=True)
class DiskCut:
    """``kept``: number of flushed requests of the log, all of them present; ``arrived``: present requests after them,
    as pairs of index and bytes; ``unflushed``: number of requests that may be lost."""

    kept: int
    unflushed: int
    arrived: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PowerCut:
    instant: Instant
    outcome: UnflushedOutcome
    disks: tuple[DiskCut, ...]

    def describe(self) -> str:
        """Return one line of text: the requests that are present on each disk."""
        parts = [f"{disk.kept} kept, {len(disk.arrived)} of {disk.unflushed} unflushed arrived" for disk in self.disks]
        instant = f"nvram {self.instant.nvram}; console {self.instant.console_bytes}"
        return f"luck {self.outcome.value}; {'; '.join(parts)}; {instant}"


def choose_cut(recording: Recording, rng: random.Random) -> PowerCut:
    """Choose an instant and the requests that are present. Half of the instants are drawn uniformly over the intervals
    between flushes, whatever their length; 20 % uniformly over the contents of NVRAM; 30 % over all instants. Instants
    without unflushed requests are limited to ``_IDLE_SHARE`` of the cuts, if the recording allows it."""
    idle = rng.random() < _IDLE_SHARE
    outcome = rng.choices(list(_OUTCOME_WEIGHTS), list(_OUTCOME_WEIGHTS.values()))[0]
    cut = _cut(recording, outcome, rng)
    for _ in range(_TRIES):
        if idle or any(disk.unflushed for disk in cut.disks):
            break
        cut = _cut(recording, outcome, rng)
    return cut


def _cut(recording: Recording, outcome: UnflushedOutcome, rng: random.Random) -> PowerCut:
    instant = _instant(recording, rng)
    disks = tuple(
        _disk_cut(log, count, outcome, rng) for log, count in zip(recording.logs, instant.requests, strict=True)
    )
    return PowerCut(instant, outcome, disks)


def _instant(recording: Recording, rng: random.Random) -> Instant:
    selector = rng.random()
    if selector < _AMONG_ALL:
        return rng.choice(recording.instants)
    if selector < _AMONG_ALL + _BY_STORE:
        return rng.choice(recording.stores[rng.choice(sorted(recording.stores))])
    return rng.choice(recording.epochs[rng.choice(sorted(recording.epochs))])


def apply_cut(
    processes: Processes, recording: Recording, cut: PowerCut, unit: VirtualUnit, only: str | None = None
) -> None:
    """Change the disks of ``unit``, which must be as before the recording, to their content after the cut. ``only``:
    name of the only disk to change."""
    files = dict(zip(_disk_names(unit), unit.disk_files(), strict=True))
    for name, log, disk in zip(recording.disks, recording.logs, cut.disks, strict=True):
        if only not in (None, name):
            continue
        source = os.path.join(recording.folder, f"{name}.writes")
        arrived = [(log[index], size) for index, size in disk.arrived]
        requests = [*((entry, entry.size) for entry in log[: disk.kept] if entry.size), *arrived]
        if requests:
            with raw_view(processes, files[name], writable=True) as view:
                _replay(source, requests, view)
    if unit.spec.firmware is FirmwareKind.UEFI:
        with os_errors_translated(unit.variables):
            shutil.copyfile(recording.nvram(cut.instant), unit.variables)


def _disk_names(unit: VirtualUnit) -> list[str]:
    return [disk.name for disk in unit.machine().disks]


def _disk_cut(log: Sequence[LoggedRequest], count: int, outcome: UnflushedOutcome, rng: random.Random) -> DiskCut:
    cached = any(entry.flush for entry in log)
    kept = durable(log[:count])[-1] if cached else max(0, count - 1)
    unflushed = [index for index in range(kept, count) if log[index].size]
    return DiskCut(kept, len(unflushed), _arrived(log, unflushed, outcome, rng))


def _arrived(
    log: Sequence[LoggedRequest], unflushed: Sequence[int], outcome: UnflushedOutcome, rng: random.Random
) -> tuple[tuple[int, int], ...]:
    match outcome:
        case UnflushedOutcome.ALL:
            return tuple((index, log[index].size) for index in unflushed)
        case UnflushedOutcome.NONE:
            return ()
        case UnflushedOutcome.SOME:
            share = rng.random()
            return tuple((index, log[index].size) for index in unflushed if rng.random() < share)
        case UnflushedOutcome.FIRST:
            if not unflushed:
                return ()
            *whole, torn = unflushed[: rng.randrange(len(unflushed)) + 1]
            part = rng.randrange(log[torn].size // _SECTOR) * _SECTOR
            return (*((index, log[index].size) for index in whole), *([(torn, part)] if part else []))


def _replay(source: str, requests: Sequence[tuple[LoggedRequest, int]], view: str) -> None:
    with os_errors_translated(view), open(source, "rb") as log, open(view, "r+b", buffering=0) as disk:
        for entry, size in requests:
            if entry.place is None:
                _clear(disk.fileno(), view, entry.offset, size)
                continue
            log.seek(entry.place)
            for start in range(0, size, _PIECE):
                data = log.read(min(_PIECE, size - start))
                if data.count(0) == len(data):
                    _clear(disk.fileno(), view, entry.offset + start, len(data))
                else:
                    os.pwrite(disk.fileno(), data, entry.offset + start)


def _clear(disk: int, view: str, offset: int, length: int) -> None:
    """Write zeros. Whole clusters are punched, which keeps the file sparse. Parts of clusters are written: QEMU's
    export reports success for punching them, but leaves them unchanged."""
    first, last = -(-offset // _CLUSTER) * _CLUSTER, (offset + length) // _CLUSTER * _CLUSTER
    if first >= last:
        os.pwrite(disk, bytes(length), offset)
        return
    os.pwrite(disk, bytes(first - offset), offset)
    _punch(disk, view, first, last - first)
    os.pwrite(disk, bytes(offset + length - last), last)


def _punch(disk: int, view: str, offset: int, length: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fallocate(disk, _PUNCH_HOLE, ctypes.c_long(offset), ctypes.c_long(length)):
        number = ctypes.get_errno()
        raise DeviceFault(view, f"cannot be punched: {os.strerror(number)}", errno=number)
