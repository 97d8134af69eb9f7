"""What is on a unit's media after its power was cut at an instant of a recording.

A disk keeps what was flushed. Of what it had answered since, or was still working on, any part may have arrived: whole
requests, and the beginning of one, in sectors. Of a disk that the guest never flushes, because it says
that it has no cache, only the last request is in doubt. NVRAM is as it was at that instant.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gprov.apps.host.initramfs.hostfiles import translated
from gprov.apps.host.lab.recording import Instant, Recording
from gprov.apps.host.lab.unit import Unit
from gprov.apps.host.lab.volumes import raw_view
from gprov.apps.host.lab.writelog import LoggedRequest, durable
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceFault
from gprov.ports.process import Processes

_AMONG_ALL, _BY_STORE = 0.3, 0.2
# How many cuts may be at an instant with nothing in doubt on any disk; and how often another one is looked for.
_QUIET = 0.15
_TRIES = 100
_SECTOR = 512
_PIECE = 1 << 20
_CLUSTER = 1 << 16  # of qcow2
_PUNCH_HOLE = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE


class Luck(Enum):
    """What of the requests in doubt arrived."""

    ALL = "all"
    NONE = "none"
    SOME = "some"
    FIRST = "first"  # up to one of them, which is cut in two


_LUCK = {Luck.ALL: 1, Luck.NONE: 3, Luck.SOME: 4, Luck.FIRST: 3}


@dataclass(frozen=True, slots=True)
class DiskCut:
    """``kept``: how many requests of the log are there for good; ``arrived``: which of those after them, as pairs of
    number and bytes; ``doubtful``: how many there were to choose from."""

    kept: int
    doubtful: int
    arrived: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PowerCut:
    instant: Instant
    luck: Luck
    disks: tuple[DiskCut, ...]

    def describe(self) -> str:
        """For people: which requests of which disk."""
        parts = [f"{disk.kept} kept, {len(disk.arrived)} of {disk.doubtful} unflushed arrived" for disk in self.disks]
        return f"luck {self.luck.value}; {'; '.join(parts)}; nvram {self.instant.nvram}; console {self.instant.said}"


def choose_cut(recording: Recording, chance: random.Random) -> PowerCut:
    """Half of the instants are chosen so that every time between two flushes is as likely as any other, however short;
    some so that every content of NVRAM is, and the rest among all requests. At most of them something is in doubt."""
    quiet = chance.random() < _QUIET
    luck = chance.choices(list(_LUCK), list(_LUCK.values()))[0]
    cut = _cut(recording, luck, chance)
    for _ in range(_TRIES):
        if quiet or any(disk.doubtful for disk in cut.disks):
            break
        cut = _cut(recording, luck, chance)
    return cut


def _cut(recording: Recording, luck: Luck, chance: random.Random) -> PowerCut:
    instant = _instant(recording, chance)
    disks = tuple(
        _disk_cut(log, count, luck, chance) for log, count in zip(recording.logs, instant.requests, strict=True)
    )
    return PowerCut(instant, luck, disks)


def _instant(recording: Recording, chance: random.Random) -> Instant:
    way = chance.random()
    if way < _AMONG_ALL:
        return chance.choice(recording.instants)
    if way < _AMONG_ALL + _BY_STORE:
        return chance.choice(recording.stores[chance.choice(sorted(recording.stores))])
    return chance.choice(recording.epochs[chance.choice(sorted(recording.epochs))])


def apply_cut(processes: Processes, recording: Recording, cut: PowerCut, unit: Unit, only: str | None = None) -> None:
    """Make of the unit as the recording began, what the cut leaves; ``only``: of that disk alone."""
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
        with translated(unit.variables):
            shutil.copyfile(recording.nvram(cut.instant), unit.variables)


def _disk_names(unit: Unit) -> list[str]:
    return [disk.name for disk in unit.machine().disks]


def _disk_cut(log: Sequence[LoggedRequest], count: int, luck: Luck, chance: random.Random) -> DiskCut:
    cached = any(entry.flush for entry in log)
    kept = durable(log[:count])[-1] if cached else max(0, count - 1)
    doubtful = [index for index in range(kept, count) if log[index].size]
    return DiskCut(kept, len(doubtful), _arrived(log, doubtful, luck, chance))


def _arrived(
    log: Sequence[LoggedRequest], doubtful: Sequence[int], luck: Luck, chance: random.Random
) -> tuple[tuple[int, int], ...]:
    match luck:
        case Luck.ALL:
            return tuple((index, log[index].size) for index in doubtful)
        case Luck.NONE:
            return ()
        case Luck.SOME:
            share = chance.random()
            return tuple((index, log[index].size) for index in doubtful if chance.random() < share)
        case Luck.FIRST:
            if not doubtful:
                return ()
            *whole, torn = doubtful[: chance.randrange(len(doubtful)) + 1]
            part = chance.randrange(log[torn].size // _SECTOR) * _SECTOR
            return (*((index, log[index].size) for index in whole), *([(torn, part)] if part else []))


def _replay(source: str, requests: Sequence[tuple[LoggedRequest, int]], view: str) -> None:
    with translated(view), open(source, "rb") as log, open(view, "r+b", buffering=0) as disk:
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
    """Zeros. Whole clusters take no room; of a part of one, QEMU's export says that it was punched, and leaves it."""
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
