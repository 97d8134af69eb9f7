"""Sensors and error counters of a unit at one time."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.mfg.burnin.diskcounters import DiskCounters


@dataclass(frozen=True, slots=True)
class Temperature:
    """``sensor``: its name, for people. Degrees Celsius."""

    sensor: str
    celsius: float


@dataclass(frozen=True, slots=True)
class MemoryErrors:
    """Errors that the memory controllers counted since the kernel started (EDAC)."""

    corrected: int
    uncorrected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """``memory``: None if the unit counts no memory errors. ``hardware_errors``: lines of the kernel's log about
    hardware errors (machine checks and the like). ``disks``: counters in the order of the plan's disks, None for a disk
    that states none."""

    temperatures: tuple[Temperature, ...]
    memory: MemoryErrors | None
    hardware_errors: tuple[str, ...]
    disks: tuple[DiskCounters | None, ...]
