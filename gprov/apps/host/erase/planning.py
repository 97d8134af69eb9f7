"""The plan of an erase on a bench machine: techniques of each disk, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.erase.survey import plan_erasures
from gprov.apps.host.erase.container import BenchContainer
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.plan import DiskErasure
from gprov.domain.erase.request import EraseRequest, ReadBack, scheme_passes
from gprov.domain.erase.techniques import TECHNIQUES, Level, Technique
from gprov.domain.errors import DeviceFault

_MEASURED = 64 << 20
_PART = 4 << 20


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """``seconds``: None if it is not known; ``source``: what it is based on."""

    technique: Technique
    seconds: float | None
    source: str


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """``times``: one for each technique of the choice, in its order."""

    erasure: DiskErasure
    times: tuple[TimeEstimate, ...]

    @property
    def best(self) -> Level:
        """The highest documented level among the chosen techniques."""
        levels = (TECHNIQUES[technique].level for technique in self.erasure.choice.techniques)
        return max(levels, key=lambda level: level.rank, default=Level.NOT_CLASSIFIED)


def plan_bench(container: BenchContainer, disks: tuple[Disk, ...], request: EraseRequest) -> tuple[BenchPlan, ...]:
    """Ask the drives, and measure their reading rate where a technique overwrites. Nothing is written."""
    erasures = plan_erasures(container.erase_ports(), disks, request, None, container.bus())
    return tuple(BenchPlan(erasure, _times(container, erasure)) for erasure in erasures)


def _times(container: BenchContainer, erasure: DiskErasure) -> tuple[TimeEstimate, ...]:
    stated = {offer.technique: offer.seconds for offer in erasure.report.offers}
    times = []
    for technique in erasure.choice.techniques:
        if technique is Technique.OVERWRITE:
            times.append(_overwriting(container, erasure))
        elif stated.get(technique) is None:
            times.append(TimeEstimate(technique, None, "the drive states no time"))
        else:
            times.append(TimeEstimate(technique, stated[technique], "stated by the drive"))
    return tuple(times)


def _overwriting(container: BenchContainer, erasure: DiskErasure) -> TimeEstimate:
    """All passes, and the read-back. Writing is often slower than reading, and inner tracks slower than outer ones."""
    try:
        rate = _reading_rate(container, erasure.disk)
    except DeviceFault as fault:
        return TimeEstimate(Technique.OVERWRITE, None, f"the reading rate cannot be measured: {fault.sentence}")
    passes = len(scheme_passes(erasure.request.scheme, "")) + (erasure.request.read_back is ReadBack.FULL)
    source = f"estimate: {passes} times the size at the measured reading rate of {rate / 1e6:.0f} MB/s"
    return TimeEstimate(Technique.OVERWRITE, passes * erasure.disk.size / rate, source)


def _reading_rate(container: BenchContainer, disk: Disk) -> float:
    """Bytes per second of the first blocks. Raises DeviceFault."""
    clock, reader = container.clock(), container.disk_reader()
    size = min(_MEASURED, disk.size)
    start = clock.monotonic()
    for at in range(0, size, _PART):
        reader.read(disk, Extent(at, min(size, at + _PART)))
    return size / max(clock.monotonic() - start, 1e-3)
