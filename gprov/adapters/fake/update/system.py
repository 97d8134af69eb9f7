"""Unfinished downloads, local time and restart of a simulated machine's running system."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.system.power import FakePower
from gprov.domain.errors import DeviceMissing
from gprov.domain.update.window import LocalMinute
from gprov.ports.update import LocalTime, PartFile, PartFiles, Restart

_BLOCK = 4096


class FakeLocalTime(LocalTime):
    """``minute``: that of the machine's clock is not used, so that tests can choose it."""

    def __init__(self, minute: LocalMinute) -> None:
        self.minute = minute

    @override
    def now(self) -> LocalMinute:
        return self.minute


class FakeRestart(Restart):
    """Services end, file systems are flushed: MachineStopped."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._power = FakePower(machine)

    @override
    def restart(self) -> None:
        self._power.reboot()


class FakePartFiles(PartFiles):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._files = FakeFiles(machine)

    @override
    @contextmanager
    def open(self, path: str) -> Iterator[PartFile]:
        folder = path.rpartition("/")[0] or "/"
        if self._files.status(folder) is None:
            raise DeviceMissing(folder, "no such folder")
        if self._files.status(path) is None:
            self._files.stream(path, b"", whole=False)
        yield _FakePartFile(self._files, path)

    @override
    def blocks(self, path: str) -> Iterator[bytes]:
        content = self._files.read(path)
        yield from (content[start : start + _BLOCK] for start in range(0, len(content), _BLOCK))


class _FakePartFile(PartFile):
    def __init__(self, files: FakeFiles, path: str) -> None:
        self._files = files
        self._path = path
        self._content = files.read(path)

    @property
    @override
    def size(self) -> int:
        return len(self._content)

    @override
    def append(self, block: bytes) -> None:
        self._content += block
        self._files.stream(self._path, self._content, whole=False)

    @override
    def shorten(self, size: int) -> None:
        if size < len(self._content):
            self._content = self._content[:size]
            self._files.stream(self._path, self._content, whole=False)

    @override
    def flush(self) -> None:
        self._files.stream(self._path, self._content, whole=True)
