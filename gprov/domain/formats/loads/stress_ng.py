"""Exit status and output of stress-ng 0.15 (stress-ng(1), EXIT STATUS).

With ``--metrics-brief`` it prints ``stress-ng: metrc: [PID] cpu OPS REAL USER SYSTEM OPS/S-REAL OPS/S-CPU``; each wrong
result is a line ``stress-ng: fail: [PID] cpu: …``.
"""

from __future__ import annotations

import re
from itertools import islice

DONE, FAILED, WRONG_RESULTS = 0, 2, 7
_FAIL = re.compile(rb"^stress-ng: fail:\s+\[\d+\] ([ -~]{1,160})", re.MULTILINE)
_METRICS = re.compile(
    rb"^stress-ng: metrc:\s+\[\d+\] cpu\s+\d+\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+(\d{1,15}(?:\.\d{1,6})?)\s", re.MULTILINE
)
_MOST_LINES = 20


def wrong_results(output: bytes) -> tuple[str, ...]:
    """Lines about wrong results, the first ones; also of a program that was ended."""
    return tuple(match[1].decode("ascii") for match in islice(_FAIL.finditer(output), _MOST_LINES))


def cpu_failures(status: int, output: bytes) -> tuple[str, ...] | None:
    """Wrong results of the processors, one line each; empty if there are none. None: the program ended for another
    reason, which says nothing about the processors."""
    lines = wrong_results(output)
    if status == DONE or (status in (FAILED, WRONG_RESULTS) and lines):
        return lines
    return None


def cpu_rate(output: bytes) -> float:
    """Operations per second of all processors, 0 if they are not stated."""
    match = _METRICS.search(output)
    return float(match[1]) if match else 0.0
