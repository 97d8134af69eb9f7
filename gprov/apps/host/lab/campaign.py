"""Runs many cuts of one scenario, several at a time, and reports their results."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.apps.host.lab.cuts import CutResult, PowerCuts
from gprov.apps.host.lab.scenario import CutScenario
from gprov.apps.host.lab.stage import StageVerdict
from gprov.apps.host.lab.starts import Start

_CPUS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """``count`` cuts, numbered from ``first``. ``jobs``: cuts at a time. ``started``: False checks only RECOVERY after
    each cut and starts nothing."""

    seed: str
    first: int
    count: int
    jobs: int
    started: bool = True


def run_campaign(cuts: PowerCuts, scenario: CutScenario, campaign: Campaign, workdir: str) -> tuple[CutResult, ...]:
    """Return the results by number. Folders of cuts with problems stay in ``workdir``."""
    with os_errors_translated(workdir):
        os.makedirs(workdir, mode=0o700, exist_ok=True)
    cpus = max(1, _CPUS // campaign.jobs)

    def cut(number: int) -> CutResult:
        folder = os.path.join(workdir, f"cut-{number:04}")
        if not campaign.started:
            return cuts.inspect(scenario, campaign.seed, number, folder)
        return cuts.cut(scenario, campaign.seed, number, folder, cpus)

    with ThreadPoolExecutor(campaign.jobs) as pool:
        return tuple(pool.map(cut, range(campaign.first, campaign.first + campaign.count)))


def campaign_report(
    facts: Mapping[str, object], campaign: Campaign, results: Sequence[CutResult], seconds: float
) -> Mapping[str, object]:
    """Return the JSON report. ``facts``: further keys that describe the scenario; ``states``: number of different
    descriptions of cuts; ``missed``: runs that ended before they could be cut, not counted in ``cuts``."""
    failed = any(result.problems for result in results) or all(result.missed for result in results)
    return {
        "verdict": (StageVerdict.FAILED if failed else StageVerdict.PASSED).value,
        **facts,
        "seed": campaign.seed,
        "cuts": sum(not result.missed for result in results),
        "missed": sum(result.missed for result in results),
        "states": len({result.cut for result in results if not result.missed}),
        "started": campaign.started,
        "most_starts": max((len(result.starts) for result in results), default=0),
        "seconds": round(seconds, 1),
        "results": [_result(result) for result in results],
    }


def _result(result: CutResult) -> Mapping[str, object]:
    return {
        "number": result.number,
        "manner": result.method.value,
        "missed": result.missed,
        "cut": result.cut,
        "seconds": round(result.seconds, 1),
        "starts": [_start(start) for start in result.starts],
        "problems": result.problems,
    }


def _start(start: Start) -> Mapping[str, object]:
    return {
        "said": list(start.milestone_names),
        "ending": start.outcome,
        "seconds": round(start.seconds, 1),
    }
