"""How a simulated machine behaves under load: state that tests and adopters set."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.mfg.burnin.readings import MemoryErrors


@dataclass(kw_only=True)
class LoadModel:
    """``missing``: names of programs that are not installed; ``breaking``: those that end without a result;
    ``hanging``: those that never end. ``wrong_results``, ``bad_memory``: lines that those tests find. ``rates``: bytes
    per second of a disk by serial number; ``disk_errors``: what fio reports of it. ``memory_seconds``: of one loop.

    ``idle``, ``loaded``: degrees Celsius by sensor. ``memory_errors``: None for a machine without ECC;
    ``errors_per_load``: what each load adds to them. ``kernel_lines``: lines about hardware errors; ``lines_per_load``:
    what each load adds to them.
    """

    missing: set[str] = field(default_factory=set)
    breaking: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)
    wrong_results: tuple[str, ...] = ()
    bad_memory: tuple[str, ...] = ()
    rates: dict[str, float] = field(default_factory=dict)
    disk_errors: dict[str, str] = field(default_factory=dict)
    memory_seconds: float = 20.0
    idle: dict[str, float] = field(default_factory=lambda: {"coretemp Package id 0": 38.0})
    loaded: dict[str, float] = field(default_factory=lambda: {"coretemp Package id 0": 71.0})
    memory_errors: MemoryErrors | None = field(default_factory=lambda: MemoryErrors(0, 0))
    errors_per_load: MemoryErrors = field(default_factory=lambda: MemoryErrors(0, 0))
    kernel_lines: tuple[str, ...] = ()
    lines_per_load: tuple[str, ...] = ()
    running: int = 0

    def begin(self) -> None:
        self.running += 1
        self.kernel_lines += self.lines_per_load
        if self.memory_errors is not None:
            corrected = self.memory_errors.corrected + self.errors_per_load.corrected
            uncorrected = self.memory_errors.uncorrected + self.errors_per_load.uncorrected
            self.memory_errors = MemoryErrors(corrected, uncorrected)

    def end(self) -> None:
        self.running -= 1
