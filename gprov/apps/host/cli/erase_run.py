"""``gprov erase run``: erase disks that are attached to this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from gprov.apps.erase.machine_data import failures
from gprov.apps.host.cli.erase_option_results import option_lines, option_rows
from gprov.apps.host.cli.erase_options import (
    ClearTpm,
    ClearVariables,
    Compared,
    Disks,
    NamedVariables,
    OneTechnique,
    OptIn,
    Passes,
    WantedLevel,
    disk_row,
    includes_loops,
    present_disks,
    request_of,
    with_machine_data,
)
from gprov.apps.host.cli.erase_plan import show, survey
from gprov.apps.host.cli.erase_report_file import report_name, require_place, write_report
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.progress import progress_of_several
from gprov.apps.host.erase.container import bench_container
from gprov.apps.host.erase.planning import BenchPlan
from gprov.apps.host.erase.running import BenchErasure, run_bench
from gprov.apps.host.erase.scope import confirmation_word
from gprov.apps.host.erase.stop import Stop, stopped_by_signals
from gprov.domain.disk.model import Disk
from gprov.domain.erase.ata.facts import SECURITY_TECHNIQUES
from gprov.domain.erase.ata.password import by_hand
from gprov.domain.erase.outcome import DiskOutcome, Verdict
from gprov.domain.erase.questions import machine_data, outcome_text
from gprov.domain.erase.report_text import report_bytes
from gprov.domain.erase.request import OnFailure, ReadBack, Scheme
from gprov.domain.erase.scope import Scope
from gprov.domain.erase.techniques import TECHNIQUES, Level
from gprov.domain.errors import ExitCode
from gprov.domain.formats.json.value import Json as JsonValue

_INTERRUPTED = 130
_STOPPING = (
    "stopping: waiting for the disks. They are erased in part. Press Ctrl-C again to end without a result and a report"
)

Confirmed = Annotated[
    list[str] | None,
    typer.Option(
        "--yes-erase",
        metavar="SERIAL",
        help="erase the disk with this serial number without a question (device file of a disk that states none)",
    ),
]
Operator = Annotated[str, typer.Option(metavar="NAME", help="who is responsible, for the report")]
Report = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="a new file for the erase report (default: erase-report-<UTC time>.json in this folder)"
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only show the plan")]
OnFailureOption = Annotated[
    OnFailure, typer.Option("--on-failure", help="after a failed technique: try the next one, or stop")
]


def attach(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    disk: Disks = None,
    technique: OneTechnique = None,
    opt_in: OptIn = None,
    level: WantedLevel = "clear",
    scheme: Passes = Scheme.STAMPED,
    read_back: Compared = ReadBack.FULL,
    on_failure: OnFailureOption = OnFailure.NEXT,
    clear_uefi_variables: ClearVariables = False,
    uefi_variable: NamedVariables = None,
    clear_tpm: ClearTpm = False,
    yes_erase: Confirmed = None,
    operator: Operator = "",
    report: Report = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Erase disks of this machine, verify it, and report it. Disks that the running system makes use of are refused.

    Exit status 1 if nothing was erased, or a disk not completely, or not to the level that was asked for.
    """
    stop = Stop()
    container = bench_container(stop, include_loop=includes_loops(disk))
    request = request_of(technique, opt_in, level, scheme, read_back, on_failure)
    request = with_machine_data(request, clear_uefi_variables, uefi_variable, clear_tpm)
    scope, plans, problems = survey(container, disk or [], request)
    if dry_run or problems:
        show(plans, scope, problems, as_json=as_json)
        return ExitCode.NEGATIVE if problems else ExitCode.DONE
    if report is None:
        report = report_name(container.clock().now_ns())
    require_place(report)
    say(f"report: {report}", err=True)
    for what in machine_data(request):
        say(f"also of this machine: {what}", err=True)
    if not _confirmed(plans, scope, yes_erase):
        return ExitCode.NEGATIVE
    with stopped_by_signals(stop, lambda: say(_STOPPING, err=True)):
        with progress_of_several() as shown:
            for one in plans:
                say(one.erasure.describe(), err=True)
            try:
                done = run_bench(container, plans, scope, operator, stop, shown)
            except KeyboardInterrupt:
                for line in abandoned_lines(plans):
                    say(line, err=True, colour="red")
                raise
            stop.finish()
        write_report(report, report_bytes(done.report))
        _show_result(done, report, as_json=as_json)
    if stop.requested:
        return _INTERRUPTED
    success = met(done.outcomes, request.level) and not any(failures(done.machine))
    return ExitCode.DONE if success else ExitCode.NEGATIVE


def abandoned_lines(plans: Sequence[BenchPlan]) -> Iterator[str]:
    """What a person must know who ended the command without waiting for the disks."""
    for plan in plans:
        if any(one in SECURITY_TECHNIQUES for one in plan.erasure.choice.techniques):
            disk = plan.erasure.disk
            yield f"gprov: {disk.node}: a security erase that goes on in the drive removes gprov's password at its end"
            yield f"gprov: {disk.node}: if the drive lost power before, the password may be set. {by_hand(disk.node)}"


def met(outcomes: Sequence[DiskOutcome], level: Level) -> bool:
    return all(one.verdict is Verdict.ERASED and one.achieved.rank >= level.rank for one in outcomes)


def _confirmed(plans: Sequence[BenchPlan], scope: Scope, words: Sequence[str] | None) -> bool:
    """Every disk by its serial number; otherwise nothing is erased."""
    wanted = {confirmation_word(one.erasure.disk, present_disks(scope)): one.erasure.disk for one in plans}
    if words:
        problems = list(_unconfirmed(wanted, set(words)))
        for problem in problems:
            say(f"gprov: {problem}; nothing was erased", err=True, colour="red")
        return not problems
    if not sys.stdin.isatty():
        words_needed = " ".join(f"--yes-erase {word}" for word in wanted)
        say(f"gprov: standard input is no terminal: give {words_needed}; nothing was erased", err=True, colour="red")
        return False
    return all(_typed(word, disk) for word, disk in wanted.items())


def _unconfirmed(wanted: dict[str, Disk], words: set[str]) -> Iterator[str]:
    for word, disk in wanted.items():
        if word not in words:
            yield f"{disk.describe()} is not confirmed (--yes-erase {word})"
    for word in sorted(words - set(wanted)):
        yield f"--yes-erase {word}: none of the disks to be erased"


def _typed(word: str, disk: Disk) -> bool:
    what = "serial number" if word == disk.serial else "device file"
    say(f"ALL data of {disk.describe()} will be destroyed. Type its {what} to confirm:", err=True)
    if sys.stdin.readline().strip() == word:
        return True
    say("gprov: not confirmed; nothing was erased", err=True, colour="red")
    return False


def _show_result(done: BenchErasure, report: str, *, as_json: bool) -> None:
    if as_json:
        document(
            {
                "verdict": done.report.verdict.value,
                "achieved": done.report.achieved.value,
                "report": report,
                "disks": [_row(outcome) for outcome in done.outcomes],
                "options": option_rows(done.machine),
            }
        )
        return
    for outcome in done.outcomes:
        colour = "green" if outcome.verdict is Verdict.ERASED else "red"
        say(outcome_text(outcome), colour=colour)
        if outcome.verdict is Verdict.ERASED and outcome.achieved.rank < outcome.requested.rank:
            say(f"  {outcome.requested.value} was not reached: {'; '.join(_reasons(outcome)) or 'not supported'}")
        verification = outcome.verification
        say(f"  verification: {verification.method.value}, {verification.examined} bytes examined")
        for error in outcome.errors:
            say(f"  {error}")
    for line in option_lines(done.machine):
        say(line)
    say(f"report: {report}")


def _reasons(outcome: DiskOutcome) -> Iterator[str]:
    """Why no technique of the requested level was used."""
    for refusal in outcome.refusals:
        if TECHNIQUES[refusal.technique].level.rank >= outcome.requested.rank:
            yield f"{refusal.technique.value}: {refusal.reason}"


def _row(outcome: DiskOutcome) -> JsonValue:
    return {
        **disk_row(outcome.disk),
        "verdict": outcome.verdict.value,
        "technique": outcome.technique.value if outcome.technique is not None else None,
        "achieved": outcome.achieved.value,
        "verification": outcome.verification.method.value,
        "examined": outcome.verification.examined,
        "errors": list(outcome.errors),
    }
