"""The plan of an erase: what is done with each disk, before anything is done."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.disk.model import Disk
from gprov.domain.erase.choose import Choice
from gprov.domain.erase.drive_report import DriveReport
from gprov.domain.erase.record import DiskProgress
from gprov.domain.erase.request import EraseRequest, OnFailure
from gprov.domain.erase.techniques import Technique


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskErasure:
    """The erase of one disk. ``progress``: where to begin; of a resumed erase, from the record on RECOVERY."""

    disk: Disk
    report: DriveReport
    choice: Choice
    request: EraseRequest
    progress: DiskProgress

    def describe(self) -> str:
        resumed = " (resumed)" if self.progress.technique is not None else ""
        return f"erase {self.disk.describe()} by {self.choice.describe()}{resumed}"

    @property
    def remaining(self) -> tuple[Technique, ...]:
        """Techniques to be tried, in order: first the one that a power cut interrupted, and none that ended in an
        earlier start of the unit."""
        ended = {result.technique for result in self.progress.tried}
        if ended and self.request.on_failure is OnFailure.STOP:
            return ()
        begun = (self.progress.technique,) if self.progress.technique is not None and self._goes_on else ()
        if begun and self.request.on_failure is OnFailure.STOP:
            return begun
        return (*begun, *(one for one in self.choice.techniques if one not in ended and one not in begun))

    @property
    def _goes_on(self) -> bool:
        """Whether the recorded technique can be finished. A drive offers nothing while it carries one out."""
        busy = self.report.in_progress is not None
        return self.progress.completed or busy or self.progress.technique in self.choice.techniques
