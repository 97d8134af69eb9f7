"""What a display shows while the system starts, after init has handed over to it."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.boot.boot_counts import BootCounts

# Then the texts end, whatever the system does.
START_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class StartTexts:
    """``starting``: shown at once; ``up``: when the system reports that it is up; ``silent``: if it does not report
    that in START_SECONDS."""

    starting: str
    up: str
    silent: str


def start_texts(before: BootCounts, *, confirms: bool) -> StartTexts:
    """``before``: the counts before this start; ``confirms``: whether the system reports when it is up."""
    first = "first start after the restore, which may take some minutes" if before.started == 0 else ""
    starting = f"Starting the system: {first}" if first else "Starting the system"
    silent = f"The system has not reported that it is up within {START_SECONDS / 60:.0f} minutes"
    return StartTexts(starting, "The system is up", silent if confirms else "The system was started")
