"""Fuzz targets, and the rule that they check.

Any bytes become a value or a GprovError: no other exception, within limits of time and memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gprov.domain.errors import GprovError

MAX_INPUT = 64 << 10  # bytes of one input
SECONDS = 1.0  # of processor time
MEMORY = 64 << 10  # KiB by which the peak memory of the process may grow
# Factor of the time limit under instrumentation. Finds are run again without it.
INSTRUMENTED_TIME_FACTOR = 4.0

Check = Callable[[bytes], None]


class Defect(Exception):
    """A target broke the rule without another exception: too slow, too large, or a wrong result."""


@dataclass(frozen=True, slots=True)
class Target:
    """``check`` passes bytes to a parser and checks the result; GprovError is valid. ``seeds`` makes valid inputs.
    ``words``: strings that mutations may insert. ``fix_checksums`` corrects checksums and lengths, so that mutations
    reach the code after their checks."""

    name: str
    parser: str
    check: Check
    seeds: Callable[[], list[bytes]]
    words: tuple[bytes, ...] = ()
    fix_checksums: Callable[[bytes], bytes] = bytes


def run_target(target: Target, data: bytes, time_factor: float = 1.0) -> None:
    """Run a target on an input. Raises Defect, or the exception that breaks the rule."""
    fixed = target.fix_checksums(data[:MAX_INPUT])
    before = _peak_memory(reset=True)
    start = time.process_time()
    try:
        target.check(fixed)
    except GprovError as error:
        _check_message(error)
    took = time.process_time() - start
    grown = _peak_memory() - before
    if took > SECONDS * time_factor:
        raise Defect(f"{target.name}: took {took:.1f} s for {len(fixed)} bytes")
    if grown > MEMORY:
        raise Defect(f"{target.name}: took {grown >> 10} MiB for {len(fixed)} bytes")


def expect(holds: bool, defect: str) -> None:
    """Raise Defect unless a property of a parsed value holds."""
    if not holds:
        raise Defect(defect)


def _check_message(error: GprovError) -> None:
    """Check that the texts of an error can be encoded, since they are shown and sent."""
    for line in (str(error), *error.details()):
        line.encode("utf-8", "surrogateescape")


def _peak_memory(*, reset: bool = False) -> int:
    """Return the peak memory of this process in KiB. ``reset``: reset it first (proc(5), clear_refs), which getrusage
    cannot do."""
    if reset:
        with open("/proc/self/clear_refs", "w") as clear:
            clear.write("5")
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
