"""The burn-in of a platform: one ``BurnIn`` entry of manufData.json as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CpuTest:
    """All processors compute for ``seconds``, and check their results."""

    seconds: int


@dataclass(frozen=True, slots=True)
class MemoryTest:
    """At most ``percent`` of the memory is tested, ``loops`` times."""

    percent: int
    loops: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskTest:
    """All data disks are read for ``seconds``; with ``writes``, they are then overwritten and compared for as long.
    ``min_read``, ``min_write``: MB/s (10^6 bytes) of each disk, None for any."""

    seconds: int
    writes: bool = False
    min_read: int | None = None
    min_write: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """``max_temperature``: degrees Celsius of any sensor, None for any. ``max_corrected``: memory errors that ECC
    corrected meanwhile; None: 0, if the unit counts them at all. ``max_disk_errors``: by how much the error counters of
    one disk may grow."""

    max_temperature: int | None = None
    max_corrected: int | None = None
    max_disk_errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnInSpec:
    """``time_limit``: seconds for all tests together. None: this test is not part of the burn-in."""

    code_name: str
    time_limit: int
    cpu: CpuTest | None = None
    memory: MemoryTest | None = None
    disks: DiskTest | None = None
    limits: Limits = Limits()

    @property
    def planned(self) -> int:
        """Seconds of the tests whose length is fixed: all but that of the memory."""
        of_disks = self.disks.seconds * (1 + self.disks.writes) if self.disks else 0
        return (self.cpu.seconds if self.cpu else 0) + of_disks
