"""``gprov erase plan``: what an erase of the disks of this machine would do."""

from __future__ import annotations

import typer

from gprov.apps.host.cli.erase_options import (
    Compared,
    Disks,
    OneTechnique,
    OptIn,
    Passes,
    WantedLevel,
    includes_loops,
    plan_document,
    plan_lines,
    request_of,
    unsuitable,
)
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.warning_lines import WarningLines
from gprov.apps.host.erase.container import BenchContainer, bench_container
from gprov.apps.host.erase.planning import BenchPlan, plan_bench
from gprov.apps.host.erase.scope import bench_scope, refused
from gprov.apps.host.erase.stop import Stop
from gprov.domain.erase.request import EraseRequest, ReadBack, Scheme
from gprov.domain.erase.scope import Scope
from gprov.domain.errors import ExitCode


def attach(app: typer.Typer) -> None:
    app.command("plan")(plan)


def plan(
    disk: Disks = None,
    technique: OneTechnique = None,
    opt_in: OptIn = None,
    level: WantedLevel = "clear",
    scheme: Passes = Scheme.STAMPED,
    read_back: Compared = ReadBack.FULL,
    as_json: Json = False,
) -> int:
    """Ask the disks of this machine what they support, and show what an erase would do, with reasons. Nothing is
    written.

    Exit status 1 if there is no disk, or one that cannot be erased as it was asked for.
    """
    container = bench_container(Stop(), include_loop=includes_loops(disk))
    request = request_of(technique, opt_in, level, scheme, read_back)
    scope, plans, problems = survey(container, disk or [], request)
    show(plans, scope, problems, as_json=as_json)
    return ExitCode.NEGATIVE if problems else ExitCode.DONE


def survey(
    container: BenchContainer, nodes: list[str], request: EraseRequest
) -> tuple[Scope, tuple[BenchPlan, ...], list[str]]:
    """The disks, their plans, and why they cannot be erased as it was asked for. Raises DeviceMissing."""
    container.bus().attach(WarningLines())
    scope = bench_scope(container, nodes)
    problems = [one.describe() for one in refused(scope, nodes)]
    plans = plan_bench(container, scope.disks, request)
    problems += unsuitable(plans, request.level)
    if not scope.disks and not problems:
        problems.append("no built-in disk can be erased: removable disks and loop devices must be named with --disk")
    return scope, plans, problems


def show(plans: tuple[BenchPlan, ...], scope: Scope, problems: list[str], *, as_json: bool) -> None:
    if as_json:
        document(plan_document(plans, scope, problems))
        return
    for one in plans:
        for line in plan_lines(one):
            say(line)
    for left_out in scope.left_out:
        if left_out.describe() not in problems:
            say(left_out.describe())
    for problem in problems:
        say(f"gprov: {problem}", err=True, colour="red")
