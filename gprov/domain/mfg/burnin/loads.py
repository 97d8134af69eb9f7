"""Loads of a burn-in, and what each of them found."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk


@dataclass(frozen=True, slots=True)
class CpuLoad:
    """``workers`` processes that compute and check their results."""

    workers: int
    seconds: int

    def describe(self) -> str:
        return f"{self.workers} processors compute for {self.seconds} s"


@dataclass(frozen=True, slots=True)
class MemoryLoad:
    """One of several memory tests at the same time. ``size``: bytes, whole MiB. ``number``: from 0."""

    number: int
    size: int
    loops: int

    def describe(self) -> str:
        return f"test {self.size // MIB} MiB of memory, {self.loops} x"


@dataclass(frozen=True, slots=True)
class ReadLoad:
    """Read a disk from its start on, past the page cache."""

    disk: Disk
    seconds: int

    def describe(self) -> str:
        return f"read {self.disk.describe()} for {self.seconds} s"


@dataclass(frozen=True, slots=True)
class WriteLoad:
    """Overwrite a disk from its start on and compare what was written. Its contents are lost."""

    disk: Disk
    seconds: int

    def describe(self) -> str:
        return f"overwrite {self.disk.describe()} for {self.seconds} s"


ReadingLoad = CpuLoad | MemoryLoad | ReadLoad
Load = ReadingLoad | WriteLoad


@dataclass(frozen=True, slots=True)
class LoadResult:
    """``failures``: what was found to be wrong, one line each. ``rate``: bytes per second of a disk, operations per
    second of processors, 0 if there is none."""

    load: Load
    failures: tuple[str, ...] = ()
    rate: float = 0.0
