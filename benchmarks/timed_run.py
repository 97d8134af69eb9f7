"""One run of a command: seconds, processor time and memory of it and its children."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TimedRun:
    """``seconds`` from start to end, ``cpu`` of user and system together; ``peak``: MiB of the largest process."""

    seconds: float
    cpu: float
    peak: int


def timed(argv: Sequence[str]) -> TimedRun:
    """Run to the end. Raises CalledProcessError."""
    start = time.perf_counter()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, list(argv))
    return TimedRun(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss >> 10)
