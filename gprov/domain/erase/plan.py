"""The plan of an erase: what is done with each disk, before anything is done."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.disk.model import Disk
from gprov.domain.erase.choose import Choice
from gprov.domain.erase.drive_report import DriveReport
from gprov.domain.erase.record import DiskProgress
from gprov.domain.erase.request import EraseRequest
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
        """Techniques to be tried, in order: without those that ended in an earlier start of the unit."""
        ended = {result.technique for result in self.progress.tried}
        return tuple(technique for technique in self.choice.techniques if technique not in ended)
