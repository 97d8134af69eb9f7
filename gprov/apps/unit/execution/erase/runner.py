"""Erases several disks at the same time, each on a thread of its own. One failed disk does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gprov.apps.unit.execution.erase.disk_eraser import DiskEraser
from gprov.apps.unit.execution.erase.observer import ErasureObserver
from gprov.apps.unit.execution.erase.password_release import release_drive
from gprov.apps.unit.execution.erase.ports import ErasurePorts
from gprov.apps.unit.execution.erase.raid_metadata import PutBack, SavedMetadata, put_back, save
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.disk.model import Disk
from gprov.domain.erase.ata.release import Released
from gprov.domain.erase.outcome import DiskOutcome, Verdict, Verification, VerificationMethod
from gprov.domain.erase.plan import DiskErasure
from gprov.domain.erase.raid_metadata import FoundMetadata
from gprov.domain.erase.techniques import Level
from gprov.domain.errors import GprovError
from gprov.domain.platform.model import FakeraidType
from gprov.ports.background import Background

_POLL_SECONDS = 3600.0


class ErasureRunner:
    """Holds the ports that destroy; ``erase`` and ``release`` are the only ways to them."""

    def __init__(self, ports: ErasurePorts, background: Background) -> None:
        self._ports = ports
        self._background = background

    def erase(self, erasures: Sequence[DiskErasure], observer: ErasureObserver) -> tuple[DiskOutcome, ...]:
        """Erase all disks; returns when all have ended, one outcome per disk, in order. Never raises for a disk."""
        outcomes: dict[int, DiskOutcome] = {}
        tasks = []
        for number, erasure in enumerate(erasures):
            work = self._work(number, erasure, observer, outcomes)
            tasks.append(self._background.start(f"erase {erasure.disk.name}", work))
        for task in tasks:
            while not task.wait(_POLL_SECONDS):
                continue
        return tuple(outcomes[number] for number in range(len(erasures)))

    def save_metadata(self, disk: Disk, kind: FakeraidType) -> SavedMetadata:
        """Read the metadata of firmware RAID. Never raises."""
        return save(disk, kind, self._ports.reader)

    def put_back_metadata(self, disk: Disk, kind: FakeraidType, found: FoundMetadata) -> PutBack:
        """Write it back after the erase, and compare. Never raises."""
        return put_back(disk, kind, found, self._ports.writer, self._ports.reader)

    def release(self, disk: Disk) -> Released:
        """Remove the password that an interrupted security erase of gprov left on a drive; another one stays."""
        return release_drive(disk, self._ports)

    def _work(
        self, number: int, erasure: DiskErasure, observer: ErasureObserver, outcomes: dict[int, DiskOutcome]
    ) -> Callable[[], None]:
        started = self._ports.clock.now_ns()

        def work() -> None:
            outcomes[number] = failed_outcome(erasure, "the erase of this disk ended unexpectedly", started, started)
            try:
                with unexpected_errors_translated():
                    outcomes[number] = DiskEraser(erasure, self._ports, observer).run()
            except GprovError as error:
                outcomes[number] = failed_outcome(erasure, str(error), started, self._ports.clock.now_ns())

        return work


def failed_outcome(erasure: DiskErasure, error: str, started_ns: int, ended_ns: int) -> DiskOutcome:
    """The outcome of a disk whose erase ended with an error: nothing is claimed."""
    return DiskOutcome(
        disk=erasure.disk,
        report=erasure.report,
        requested=erasure.request.level,
        achieved=Level.NOT_CLASSIFIED,
        verdict=Verdict.FAILED,
        technique=None,
        tried=erasure.progress.tried,
        refusals=erasure.choice.refusals,
        passes=(),
        verification=Verification(method=VerificationMethod.NONE),
        started_ns=started_ns,
        ended_ns=ended_ns,
        errors=(error,),
    )
