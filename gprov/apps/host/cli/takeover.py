"""``gprov takeover``: what a unit's RECOVERY of gprovision holds, and what gprov will do with it."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.progress import progress
from gprov.apps.host.cli.userfile import read_platforms
from gprov.domain.branding import Branding
from gprov.domain.errors import ExitCode
from gprov.domain.unit.takeover import Finding, Weight, judge

app = new_app("Taking over units of gprovision (docs/how-to/takeover.md).")
_NAMES = Branding()
_COLOURS = {Weight.FINE: "", Weight.NOTE: "yellow", Weight.BLOCKS: "red"}


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.callback()
def _commands() -> None:
    pass


@app.command("check")
def check(
    recovery: Annotated[str, typer.Argument(metavar="FOLDER", help="where RECOVERY of a unit is mounted, or a copy")],
    appliance: Annotated[
        str | None, typer.Option(metavar="FILE", help="the platform table of your kernels, for platform.ident")
    ] = None,
    image_prefix: Annotated[
        str, typer.Option(metavar="PREFIX", help="what names of your images begin with")
    ] = _NAMES.image_prefix,
    as_json: Json = False,
) -> int:
    """What is on RECOVERY, what gprov does with it, and what blocks. Nothing is changed. Exit status 1 if something
    blocks."""
    from gprov.adapters.linux.archive import XzTarArchives
    from gprov.adapters.linux.files.files import LinuxFiles
    from gprov.adapters.linux.system.process import SystemProcesses
    from gprov.apps.host.takeover.contents import read_contents

    branding, processes = Branding(image_prefix=image_prefix), SystemProcesses()
    names = None if appliance is None else [platform.code_name for platform in read_platforms(appliance)]
    archives = XzTarArchives(processes, memory_budget=0)
    folder = os.path.abspath(recovery)
    with progress(recovery) as report:
        contents = read_contents(folder, LinuxFiles(), processes, archives, branding, report)
    findings = judge(contents, branding, names)
    blocking = [finding for finding in findings if finding.weight is Weight.BLOCKS]
    if as_json:
        document({"blocked": bool(blocking), "findings": [_entry(finding) for finding in findings]})
    else:
        for finding in findings:
            say(f"{finding.weight.value:<7}{finding.subject}: {finding.text}", colour=_COLOURS[finding.weight])
        say(f"{recovery}: {len(blocking)} finding(s) block", err=True)
    return ExitCode.NEGATIVE if blocking else ExitCode.DONE


def _entry(finding: Finding) -> dict[str, str]:
    return {"subject": finding.subject, "weight": finding.weight.value, "text": finding.text}
