"""Records a stage of a unit, so that the state of its media at any instant can be reconstructed.

QEMU logs the writes to each disk (``writelog``). A thread takes a snapshot every millisecond: length of each log,
content of the firmware's variable store, length of the console log. A snapshot is kept only if no log grew while it was
taken, so that it describes one instant of all media. Files in the folder:

    <disk>.writes    the logs
    nvram-<n>        the variable store (UEFI), one file per content
    recording.json   the snapshots (key ``looks``)
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

from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file, write_file
from gprov.apps.host.lab.machine import DiskBus, Machine
from gprov.apps.host.lab.writelog import LoggedRequest, durable, read_log
from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.json.reading import finish, read_object

_SNAPSHOTS_FILE = "recording.json"
_PAUSE = 0.001
_TICK_NS = 20_000_000  # resolution of file times: up to 10 ms before Linux 6.13, here with a margin
_NO_FUA = (DiskBus.AHCI, DiskBus.VIRTIO, DiskBus.USB)
Snapshot = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Instant:
    """``requests``: number of logged requests per disk; ``nvram``: number of the variable store (0 on BIOS);
    ``console_bytes``: length of the console output."""

    requests: tuple[int, ...]
    nvram: int
    console_bytes: int


@dataclass(frozen=True)
class Recording:
    """``disks``: names, as in the machine; ``logs``: requests to each disk."""

    folder: str
    disks: tuple[str, ...]
    logs: tuple[tuple[LoggedRequest, ...], ...]
    instants: tuple[Instant, ...]

    @classmethod
    def open(cls, folder: str) -> Recording:
        """Raises DeviceMissing, BadInput."""
        path = os.path.join(folder, _SNAPSHOTS_FILE)
        root = read_object(path, read_file(path))
        disks = root.texts("disks", required=True)
        snapshots = finish(
            path, root, [_parse_snapshot(path, text, len(disks)) for text in root.texts("looks", required=True)]
        )
        logs = tuple(read_log(log_file(folder, disk)) for disk in disks)
        return cls(folder, disks, logs, tuple(_instants(logs, snapshots)))

    def nvram(self, instant: Instant) -> str:
        """Path of the variable store."""
        return _nvram(self.folder, instant.nvram)

    @cached_property
    def epochs(self) -> Mapping[tuple[int, ...], Sequence[Instant]]:
        """Instants by the number of flushed requests of each disk."""
        flushed = [durable(log) for log in self.logs]
        found: dict[tuple[int, ...], list[Instant]] = {}
        for instant in self.instants:
            epoch = tuple(own[count] for own, count in zip(flushed, instant.requests, strict=True))
            found.setdefault(epoch, []).append(instant)
        return found

    @cached_property
    def stores(self) -> Mapping[int, Sequence[Instant]]:
        """Instants by the number of the variable store."""
        found: dict[int, list[Instant]] = {}
        for instant in self.instants:
            found.setdefault(instant.nvram, []).append(instant)
        return found


def require_recordable(machine: Machine) -> None:
    """Raise BadInput for disks whose writes the log does not describe fully."""
    unfit = [disk for disk in machine.disks if disk.bus not in _NO_FUA]
    if unfit:
        raise BadInput(unfit[0].name, [Problem("bus", "writes with forced unit access cannot be recorded")])


@contextmanager
def recorded(machine: Machine, folder: str, serial_log: str) -> Iterator[Machine]:
    """Yield the machine to start in place of ``machine``; it is recorded until the context ends. Raises BadInput for
    disks whose writes the log does not describe fully."""
    require_recordable(machine)
    with os_errors_translated(folder):
        os.makedirs(folder, exist_ok=True)
        names = [disk.name for disk in machine.disks]
        for name in names:
            write_file(log_file(folder, name), b"")
    disks = tuple(replace(disk, write_log=log_file(folder, disk.name)) for disk in machine.disks)
    watcher = _SnapshotThread(folder, [disk.write_log for disk in disks], machine.variables, serial_log)
    thread = threading.Thread(target=watcher.watch)
    thread.start()
    try:
        yield replace(machine, disks=disks)
    finally:
        watcher.done.set()
        thread.join()
    snapshots = [" ".join(map(str, snapshot)) for snapshot in watcher.snapshots]
    write_file(os.path.join(folder, _SNAPSHOTS_FILE), json.dumps({"disks": names, "looks": snapshots}).encode())


def log_file(folder: str, disk: str) -> str:
    return os.path.join(folder, f"{disk}.writes")


class _SnapshotThread:
    """Takes snapshots in a thread. ``snapshots``: lengths of the logs, number of the variable store, length of the
    console log."""

    def __init__(self, folder: str, logs: Sequence[str], variables: str, serial_log: str) -> None:
        self.done = threading.Event()
        self.snapshots: list[Snapshot] = []
        self._logs = logs
        self._variables = variables
        self._serial_log = serial_log
        self._stores = VariableStores(folder, variables)

    def watch(self) -> None:
        while not self.done.wait(_PAUSE):
            before = self._stamp()
            store = self._stores.current(before[-1], time.time_ns()) if self._variables else 0
            console_bytes = _size(self._serial_log)
            # The second reading equals the first, so the store and the console log were read at one instant.
            if self._stamp() == before:
                self._keep((*before[:-1], store, console_bytes))

    def _keep(self, snapshot: Snapshot) -> None:
        if not self.snapshots or self.snapshots[-1] != snapshot:
            self.snapshots.append(snapshot)

    def _stamp(self) -> Snapshot:
        changed = os.stat(self._variables).st_mtime_ns if self._variables else 0
        return (*map(_size, self._logs), changed)


class VariableStores:
    """Copies each content of the firmware's variable store once into a folder, and numbers them."""

    def __init__(self, folder: str, path: str) -> None:
        self._folder = folder
        self._path = path
        self._numbers: dict[bytes, int] = {}
        self._changed = 0
        self._stable = False
        self._latest = 0

    def current(self, changed: int, now: int) -> int:
        """Return the number of the present content. ``changed``: modification time, ``now``: the time, ns. The file is
        read again until its modification time is old enough: two quick changes may have the same time."""
        if changed != self._changed or not self._stable:
            content = read_file(self._path)
            self._changed, self._stable = changed, now - changed > _TICK_NS
            self._latest = self._numbers.setdefault(content, len(self._numbers))
            path = _nvram(self._folder, self._latest)
            if not os.path.exists(path):
                write_file(path, content)
        return self._latest


def _instants(logs: Sequence[Sequence[LoggedRequest]], snapshots: Sequence[Snapshot]) -> Iterator[Instant]:
    """Yield an instant per snapshot. If only one disk changed between two snapshots, also yield every instant between
    them: its requests one by one."""
    ends = [[entry.end for entry in log] for log in logs]
    last: Instant | None = None
    for *sizes, nvram, console_bytes in snapshots:
        counts = tuple(bisect_right(own, size) for own, size in zip(ends, sizes, strict=True))
        instant = Instant(counts, nvram, console_bytes)
        if last is not None:
            yield from _between(last, instant)
        if last is None or (last.requests, last.nvram, last.console_bytes) != (counts, nvram, console_bytes):
            yield instant
        last = instant


def _between(first: Instant, second: Instant) -> Iterator[Instant]:
    grown = [index for index, (old, new) in enumerate(zip(first.requests, second.requests, strict=True)) if old != new]
    if len(grown) != 1 or first.nvram != second.nvram:
        return
    (disk,) = grown
    for count in range(first.requests[disk] + 1, second.requests[disk]):
        yield replace(first, requests=(*first.requests[:disk], count, *first.requests[disk + 1 :]))


def _parse_snapshot(path: str, text: str, disks: int) -> Snapshot:
    words = text.split()
    if len(words) != disks + 2 or not all(word.isascii() and word.isdecimal() for word in words):
        raise BadInput(path, [Problem("looks", f"not a snapshot: {text!r}")])
    return tuple(map(int, words))


def _nvram(folder: str, number: int) -> str:
    return os.path.join(folder, f"nvram-{number}")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:  # not made yet
        return 0
