"""A stage of a unit's life, recorded so that its power can be cut at any instant of it afterwards.

QEMU logs what is written to each disk (``writelog``). Meanwhile somebody looks, every millisecond, how long these logs
are, what the firmware's variables are, and how much the console has said; a look counts if no log grew during it, so
that what it saw was there at one instant, on all media. In a folder:

    <disk>.writes    the logs
    nvram-<n>        the variable store (UEFI), each time that it was another
    recording.json   the looks
"""

from __future__ import annotations

import json
import os
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from gprov.apps.host.initramfs.hostfiles import read_file, translated, write_file
from gprov.apps.host.lab.machine import DiskBus, Machine
from gprov.apps.host.lab.writelog import LoggedRequest, durable, read_log
from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.json.reading import finish, read_object

_LOOKS = "recording.json"
_PAUSE = 0.001
_TICK_NS = 20_000_000  # of the clock that stamps files: up to 10 ms before Linux 6.13
_NO_FUA = (DiskBus.AHCI, DiskBus.VIRTIO, DiskBus.USB)
Moment = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Instant:
    """``requests``: how many of each disk's log were there; ``nvram``: which variable store (0 on BIOS); ``said``:
    bytes of the console."""

    requests: tuple[int, ...]
    nvram: int
    said: int


@dataclass(frozen=True)
class Recording:
    """``disks``: names, as in the machine; ``logs``: what each was told."""

    folder: str
    disks: tuple[str, ...]
    logs: tuple[tuple[LoggedRequest, ...], ...]
    instants: tuple[Instant, ...]

    @classmethod
    def open(cls, folder: str) -> Recording:
        """Raises DeviceMissing, BadInput."""
        path = os.path.join(folder, _LOOKS)
        root = read_object(path, read_file(path))
        disks = root.texts("disks", required=True)
        looks = finish(path, root, [_look(path, text, len(disks)) for text in root.texts("looks", required=True)])
        logs = tuple(read_log(log_file(folder, disk)) for disk in disks)
        return cls(folder, disks, logs, tuple(_instants(logs, looks)))

    def nvram(self, instant: Instant) -> str:
        """Path of the variable store."""
        return _nvram(self.folder, instant.nvram)

    @cached_property
    def epochs(self) -> Mapping[tuple[int, ...], Sequence[Instant]]:
        """The instants by what was flushed until then, of each disk."""
        flushed = [durable(log) for log in self.logs]
        found: dict[tuple[int, ...], list[Instant]] = {}
        for instant in self.instants:
            epoch = tuple(own[count] for own, count in zip(flushed, instant.requests, strict=True))
            found.setdefault(epoch, []).append(instant)
        return found

    @cached_property
    def stores(self) -> Mapping[int, Sequence[Instant]]:
        """The instants by the variable store."""
        found: dict[int, list[Instant]] = {}
        for instant in self.instants:
            found.setdefault(instant.nvram, []).append(instant)
        return found


def require_recordable(machine: Machine) -> None:
    """Raises BadInput for disks whose writes the log does not tell fully."""
    unfit = [disk for disk in machine.disks if disk.bus not in _NO_FUA]
    if unfit:
        raise BadInput(unfit[0].name, [Problem("bus", "writes with forced unit access cannot be recorded")])


@contextmanager
def recorded(machine: Machine, folder: str, serial_log: str) -> Iterator[Machine]:
    """The machine to start instead; what it does until the context ends is recorded. Raises BadInput for disks whose
    writes the log does not tell fully."""
    require_recordable(machine)
    with translated(folder):
        os.makedirs(folder, exist_ok=True)
        names = [disk.name for disk in machine.disks]
        for name in names:
            write_file(log_file(folder, name), b"")
    disks = tuple(replace(disk, write_log=log_file(folder, disk.name)) for disk in machine.disks)
    watcher = _Watcher(folder, [disk.write_log for disk in disks], machine.variables, serial_log)
    thread = threading.Thread(target=watcher.watch)
    thread.start()
    try:
        yield replace(machine, disks=disks)
    finally:
        watcher.done.set()
        thread.join()
    looks = [" ".join(map(str, look)) for look in watcher.looks]
    write_file(os.path.join(folder, _LOOKS), json.dumps({"disks": names, "looks": looks}).encode())


def log_file(folder: str, disk: str) -> str:
    return os.path.join(folder, f"{disk}.writes")


class _Watcher:
    """``looks``: lengths of the logs, number of the variable store, length of the console's log."""

    def __init__(self, folder: str, logs: Sequence[str], variables: str, serial_log: str) -> None:
        self.done = threading.Event()
        self.looks: list[Moment] = []
        self._logs = logs
        self._variables = variables
        self._serial_log = serial_log
        self._stores = VariableStores(folder, variables)

    def watch(self) -> None:
        while not self.done.wait(_PAUSE):
            before = self._stamp()
            store = self._stores.current(before[-1], time.time_ns()) if self._variables else 0
            said = _size(self._serial_log)
            # Twice the same: there was an instant, between the two, at which all of it was so.
            if self._stamp() == before:
                self._keep((*before[:-1], store, said))

    def _keep(self, look: Moment) -> None:
        if not self.looks or self.looks[-1] != look:
            self.looks.append(look)

    def _stamp(self) -> Moment:
        changed = os.stat(self._variables).st_mtime_ns if self._variables else 0
        return (*map(_size, self._logs), changed)


class VariableStores:
    """What a file with the firmware's variables held, each content kept once in a folder."""

    def __init__(self, folder: str, path: str) -> None:
        self._folder = folder
        self._path = path
        self._numbers: dict[bytes, int] = {}
        self._changed = 0
        self._settled = False
        self._latest = 0

    def current(self, changed: int, now: int) -> int:
        """The number of what it holds. ``changed``: its time of change, ``now``: the time, ns. A change soon after
        another may have the same time."""
        if changed != self._changed or not self._settled:
            content = read_file(self._path)
            self._changed, self._settled = changed, now - changed > _TICK_NS
            self._latest = self._numbers.setdefault(content, len(self._numbers))
            path = _nvram(self._folder, self._latest)
            if not os.path.exists(path):
                write_file(path, content)
        return self._latest


def _instants(logs: Sequence[Sequence[LoggedRequest]], looks: Sequence[Moment]) -> Iterator[Instant]:
    """Between two looks between which one medium alone changed, also what was between them."""
    ends = [[entry.end for entry in log] for log in logs]
    last: Instant | None = None
    for *sizes, nvram, said in looks:
        counts = tuple(bisect_right(own, size) for own, size in zip(ends, sizes, strict=True))
        instant = Instant(counts, nvram, said)
        if last is not None:
            yield from _between(last, instant)
        if last is None or (last.requests, last.nvram, last.said) != (counts, nvram, said):
            yield instant
        last = instant


def _between(first: Instant, second: Instant) -> Iterator[Instant]:
    grown = [index for index, (old, new) in enumerate(zip(first.requests, second.requests, strict=True)) if old != new]
    if len(grown) != 1 or first.nvram != second.nvram:
        return
    (disk,) = grown
    for count in range(first.requests[disk] + 1, second.requests[disk]):
        yield replace(first, requests=(*first.requests[:disk], count, *first.requests[disk + 1 :]))


def _look(path: str, text: str, disks: int) -> Moment:
    words = text.split()
    if len(words) != disks + 2 or not all(word.isascii() and word.isdecimal() for word in words):
        raise BadInput(path, [Problem("looks", f"not a look: {text!r}")])
    return tuple(map(int, words))


def _nvram(folder: str, number: int) -> str:
    return os.path.join(folder, f"nvram-{number}")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:  # not made yet
        return 0
