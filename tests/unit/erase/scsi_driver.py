"""Runs protocols against simulated drives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol as Interface

from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.drives.faults import AtaFaults, BridgeFaults, DriveFaults
from gprov.adapters.fake.drives.scsi import ScsiDrive, ScsiModel
from gprov.adapters.fake.drives.store import MemoryStore
from gprov.adapters.fake.system.clock import FakeClock
from gprov.domain.erase.drive_io import (
    DriveReply,
    DriveRequest,
    NoReply,
    Protocol,
    Result,
    ScsiCommand,
    ScsiReply,
    Wait,
    Waited,
)

CONTENT = b"former content  " * (2048 * 512 // 16)
HOUR = 3600.0


class Drive(Interface):
    def scsi(self, command: ScsiCommand) -> ScsiReply | NoReply: ...

    def power_cycle(self) -> None: ...


@dataclass
class Bench:
    """A drive with former content. ``hook`` is called before each request."""

    drive: Drive
    clock: FakeClock
    store: MemoryStore
    limit: float = 24 * HOUR
    progress: list[float] = field(default_factory=list)
    requests: list[DriveRequest] = field(default_factory=list)

    def run(self, protocol: Protocol[Result], hook: Callable[[int], None] = lambda _number: None) -> Result:
        end = self.clock.monotonic() + self.limit
        reply: DriveReply | None = None
        while True:
            try:
                request = next(protocol) if reply is None else protocol.send(reply)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            self.requests.append(request)
            hook(len(self.requests))
            reply = self._reply(request, end)

    def _reply(self, request: DriveRequest, end: float) -> DriveReply:
        if isinstance(request, ScsiCommand):
            return self.drive.scsi(request)
        assert isinstance(request, Wait)
        if request.done is not None:
            self.progress.append(request.done)
        self.clock.sleep(request.seconds)
        return Waited(self.clock.monotonic() >= end)

    @property
    def erased(self) -> bool:
        return CONTENT[:16] not in self.store.content


@dataclass
class AtaBench(Bench):
    sat: SatDrive = field(kw_only=True)


def ata_bench(
    model: AtaModel | None = None, faults: AtaFaults | None = None, bridge: BridgeFaults | None = None
) -> AtaBench:
    clock, store = FakeClock(), MemoryStore(CONTENT)
    drive = SatDrive(clock, store, model or AtaModel(), faults or AtaFaults(), bridge or BridgeFaults())
    return AtaBench(drive, clock, store, sat=drive)


@dataclass
class ScsiBench(Bench):
    disk: ScsiDrive = field(kw_only=True)


def scsi_bench(model: ScsiModel | None = None, faults: DriveFaults | None = None) -> ScsiBench:
    clock, store = FakeClock(), MemoryStore(CONTENT)
    drive = ScsiDrive(clock, store, model or ScsiModel(), faults or DriveFaults())
    return ScsiBench(drive, clock, store, disk=drive)
