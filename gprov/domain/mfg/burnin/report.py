"""The report of a burn-in: what was tested, measured and compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

from gprov.domain.event_text import timestamp
from gprov.domain.formats.json.value import has_lone_surrogate


class BurnInVerdict(Enum):
    """ABORTED: it ended without a result, which says nothing about the unit."""

    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Check:
    """One measured quantity and its limit. ``limit``: "" if the quantity is only stated."""

    quantity: str
    measured: str
    limit: str = ""
    passed: bool = True

    def describe(self) -> str:
        return f"{self.quantity}: measured {self.measured}, limit {self.limit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnInReport:
    """``started_ns``: UTC, nanoseconds since 1970; ``seconds``: how long it took. ``tests``: what ran, in order.
    ``reason``: why it was aborted, "" if it was not. ``notes``: what was not measured or tested as asked."""

    started_ns: int
    seconds: float
    tests: tuple[str, ...]
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""

    @property
    def exceeded(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.passed)

    @property
    def verdict(self) -> BurnInVerdict:
        """A limit that was exceeded counts, also if the burn-in was aborted after that."""
        if self.exceeded:
            return BurnInVerdict.FAILED
        return BurnInVerdict.ABORTED if self.reason else BurnInVerdict.PASSED

    def describe(self) -> str:
        match self.verdict:
            case BurnInVerdict.PASSED:
                return f"passed in {self.seconds:.0f} s"
            case BurnInVerdict.FAILED:
                first, *others = self.exceeded
                more = f" (and {len(others)} more)" if others else ""
                return f"failed: {first.describe()}{more}"
            case BurnInVerdict.ABORTED:
                return f"aborted after {self.seconds:.0f} s: {self.reason}"


def report_text(report: BurnInReport, serial: str, code_name: str) -> str:
    """JSON for the factory server."""
    document = {
        "serial": _text(serial),
        "platform": _text(code_name),
        "verdict": report.verdict.value,
        "reason": _text(report.reason),
        "started": timestamp(report.started_ns),
        "seconds": round(report.seconds, 1),
        "tests": [_text(test) for test in report.tests],
        "checks": [
            {
                "quantity": _text(check.quantity),
                "measured": _text(check.measured),
                "limit": _text(check.limit),
                "passed": check.passed,
            }
            for check in report.checks
        ],
        "notes": [_text(note) for note in report.notes],
    }
    return f"{json.dumps(document, indent=2)}\n"


def _text(text: str) -> str:
    """Names of devices may hold bytes that are no text."""
    return text.encode(errors="replace").decode() if has_lone_surrogate(text) else text
