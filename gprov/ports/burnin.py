"""Loads of a burn-in that only read disks, and sensors."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from gprov.domain.mfg.burnin.loads import Load, LoadResult, ReadingLoad
from gprov.domain.mfg.burnin.readings import MemoryErrors, Temperature


class RunningLoad(Protocol):
    def result(self) -> LoadResult | None:
        """None while it runs. Raises DeviceFault if it ended without a result (its program was killed, had no memory,
        or printed something else than expected): that says nothing about the unit."""

    def end(self) -> LoadResult | None:
        """End it before its time. Returns what it had found to be wrong until then, None if nothing. Raises
        DeadlineExceeded if it does not end."""


class Loads(Protocol):
    def missing(self, load: Load) -> str:
        """Name of the program of this load if it is not installed, "" if it is."""

    def start(self, load: ReadingLoad) -> AbstractContextManager[RunningLoad]:
        """Start without waiting; leaving the context ends what still runs. Raises ToolMissing, DeviceFault."""


class Sensors(Protocol):
    """All methods raise DeviceFault only if the operating system fails: what a machine does not have is missing in the
    reply."""

    def temperatures(self) -> tuple[Temperature, ...]:
        """Now, of all sensors that the kernel reads, each with a name of its own."""

    def memory_errors(self) -> MemoryErrors | None:
        """Since the kernel started, of all memory controllers; None if none is counted."""

    def hardware_errors(self) -> tuple[str, ...]:
        """Lines about hardware errors that the kernel's log holds now, oldest first. Lines that the kernel has
        overwritten since are gone."""

    def available_memory(self) -> int:
        """Bytes that programs can get now without swapping."""
