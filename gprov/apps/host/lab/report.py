"""Builds the JSON report of a lab run. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gprov.apps.host.lab.guest_messages import GuestMilestone, GuestReport
from gprov.apps.host.lab.stage import HANDOVER, INIT_STARTED, StageResult, StageVerdict


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Circumstances of a run, which influence its times. ``products``: digests by name, empty without provisioning."""

    firmware: str
    serial: str
    accelerator: str
    products: Mapping[str, str] = field(default_factory=dict)


def lab_report(facts: RunFacts, results: Sequence[StageResult]) -> Mapping[str, object]:
    """Return the report. Seconds have one decimal; uptimes are those of the guest's kernel, null if the milestone was
    not reached."""
    passed = bool(results) and all(result.passed for result in results)
    return {
        "verdict": (StageVerdict.PASSED if passed else StageVerdict.FAILED).value,
        "firmware": facts.firmware,
        "serial": facts.serial,
        "accelerator": facts.accelerator,
        "products": dict(facts.products),
        "stages": [_stage(result) for result in results],
    }


def _stage(result: StageResult) -> Mapping[str, object]:
    return {
        "name": result.name,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "seconds": round(result.seconds, 1),
        "ending": result.ending.value,
        "init_uptime": result.uptime_at(INIT_STARTED),
        "handover_uptime": result.uptime_at(HANDOVER),
        "milestones": [_milestone(milestone) for milestone in result.milestones],
        "system": _system(result.system),
        "serial_log": result.serial_log.rpartition("/")[2],
    }


def _milestone(milestone: GuestMilestone) -> Mapping[str, object]:
    return {"name": milestone.name, "uptime": milestone.uptime, **milestone.facts}


def _system(report: GuestReport | None) -> Mapping[str, object] | None:
    if report is None:
        return None
    return {"verdict": report.verdict, "uptime": report.uptime, **report.facts}
