"""Many cuts of one subject, several at once, and what came of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gprov.apps.host.initramfs.hostfiles import translated
from gprov.apps.host.lab.cuts import CutResult, PowerCuts
from gprov.apps.host.lab.stage import StageVerdict
from gprov.apps.host.lab.starts import Start
from gprov.apps.host.lab.subject import Subject

_CPUS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """The cuts from ``first`` on. Seed, number and recording alone decide which they are. ``jobs``: at once.
    Unless ``started``, only what they leave of RECOVERY is judged."""

    seed: str
    first: int
    count: int
    jobs: int
    started: bool = True


def run_campaign(cuts: PowerCuts, subject: Subject, campaign: Campaign, workdir: str) -> tuple[CutResult, ...]:
    """In their order. Folders of cuts after which something is wrong stay in ``workdir``."""
    with translated(workdir):
        os.makedirs(workdir, mode=0o700, exist_ok=True)
    cpus = max(1, _CPUS // campaign.jobs)

    def cut(number: int) -> CutResult:
        folder = os.path.join(workdir, f"cut-{number:04}")
        if not campaign.started:
            return cuts.look(subject, campaign.seed, number, folder)
        return cuts.cut(subject, campaign.seed, number, folder, cpus)

    with ThreadPoolExecutor(campaign.jobs) as pool:
        return tuple(pool.map(cut, range(campaign.first, campaign.first + campaign.count)))


def campaign_report(
    facts: Mapping[str, object], campaign: Campaign, results: Sequence[CutResult], seconds: float
) -> Mapping[str, object]:
    """For programs. ``facts``: what was cut; ``states``: cuts that differ in what is told of them; ``missed``: what
    ended before it could be cut, and counts as no cut."""
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
        "manner": result.manner.value,
        "missed": result.missed,
        "cut": result.cut,
        "seconds": round(result.seconds, 1),
        "starts": [_start(start) for start in result.starts],
        "problems": result.problems,
    }


def _start(start: Start) -> Mapping[str, object]:
    return {
        "said": list(start.said),
        "ending": start.outcome,
        "seconds": round(start.seconds, 1),
    }
