"""Searching removable volumes of the simulated machine."""

from __future__ import annotations

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakeVolume
from gprov.domain.disk.model import Bus
from gprov.domain.emergency.media import (
    MEDIA_MOUNTS,
    MOST_FILES,
    START_BYTES,
    MediaContents,
    MediaFile,
    may_be_emergency_file,
)
from gprov.domain.errors import DeviceFault
from gprov.domain.files import FileType
from gprov.ports.media import MediaSearch, MediaTask


class FakeMediaSearch(MediaSearch):
    """A search takes ``machine.media_seconds`` by the clock; None: it never ends."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def start(self, node: str, kind: str, prefix: str) -> MediaTask:
        self._machine.begin_read(f"search {node}")
        return _FakeTask(self._machine, node, kind, prefix)

    @override
    def pending(self) -> tuple[str, ...]:
        now = self._machine.clock.monotonic()
        return tuple(
            f"/sys/devices/simulated/{disk.name}"
            for disk in self._machine.disks
            if disk.bus is Bus.USB and disk.announced and not disk.detached and disk.appears_at > now
        )


class _FakeTask(MediaTask):
    def __init__(self, machine: SimulatedMachine, node: str, kind: str, prefix: str) -> None:
        self._machine = machine
        self._node = node
        self._kind = kind
        self._prefix = prefix
        self._began = machine.clock.monotonic()

    @override
    def poll(self) -> MediaContents | None:
        seconds = self._machine.media_seconds
        if seconds is None or self._machine.clock.monotonic() - self._began < seconds:
            return None
        try:
            self._machine.begin_read(f"list {self._node}")
            _, part = self._machine.partition(self._node)
        except DeviceFault as fault:
            return MediaContents(problem=str(fault))
        volume = part.volume
        if volume is None or volume.kind.value != MEDIA_MOUNTS[self._kind].kind or volume.damaged:
            return MediaContents(problem="cannot be read: structure needs cleaning")
        found = _found(volume, self._prefix)
        more = f"has more than {MOST_FILES} emergency files: the others are not looked at"
        return MediaContents(found[:MOST_FILES], more if len(found) > MOST_FILES else "")

    @override
    def stop(self) -> None:
        pass


def _found(volume: FakeVolume, prefix: str) -> tuple[MediaFile, ...]:
    found = []
    for name in volume.current.children("/"):
        node = volume.current.get(f"/{name}")
        if node is not None and may_be_emergency_file(name, prefix):
            regular = node.type is FileType.FILE
            content = node.content if regular else b""
            found.append(MediaFile(name=name, regular=regular, size=len(content), start=content[:START_BYTES]))
    return tuple(found)
