"""Power cuts of small units in the lab, and what is printed about them."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, replace

from gprov.apps.host.cli.lab_runs import orderly_end, wrong_usage
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.initramfs.hostfiles import write_file
from gprov.apps.host.lab.accel import named_accelerator
from gprov.apps.host.lab.campaign import Campaign, campaign_report, run_campaign
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.scenario import CutStage
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import BadInput, ExitCode


@dataclass(frozen=True, slots=True, kw_only=True)
class CutSubject:
    """``stage``: restore or provision. ``disks``: name of a shape. ``signed``: kernels have keys."""

    stage: str
    firmware: FirmwareKind
    disks: str
    serial: str
    signed: bool = False


def run_cuts(what: CutSubject, campaign: Campaign, workdir: str, report: str | None, *, as_json: bool) -> int:
    """Exit status 1 if a unit did not come back whole. ``report``: path, None for the usual one."""
    container = LabContainer()
    try:
        named_accelerator(container.environment())
    except BadInput as error:
        return wrong_usage(str(error))
    with orderly_end():
        set_value(container.signed, what.signed)
        spec = replace(unit_spec(what.disks, what.firmware, what.serial), signed=what.signed)
        scenario = container.scenarios().scenario(CutStage(what.stage), spec)
        began = time.monotonic()
        results = run_campaign(container.cuts(), scenario, campaign, workdir)
    facts = {"stage": what.stage, "firmware": what.firmware.value, "disks": what.disks, "signed": what.signed}
    found = campaign_report(facts, campaign, results, time.monotonic() - began)
    write_file(report or os.path.join(workdir, "report.json"), json.dumps(found, indent=2).encode() + b"\n")
    if as_json:
        document(found)
    else:
        missed = f" ({found['missed']} ended before they were cut)" if found["missed"] else ""
        states = f"{found['states']} states, at most {found['most_starts']} starts after one"
        say(f"{found['cuts']} cuts{missed}, {states}")
    failed = [result for result in results if result.problems]
    for result in failed:
        signed = "--signed " if what.signed else ""
        again = f"{signed}--stage {what.stage} --seed {campaign.seed} --first {result.number} --count 1"
        say(f"gprov lab: cut {result.number}: {'; '.join(result.problems)}", err=True, colour="red")
        say(f"  kept in {result.folder}; again: gprov lab cuts {again} …", err=True)
    return ExitCode.NEGATIVE if failed else ExitCode.DONE
