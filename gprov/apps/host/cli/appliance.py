"""``gprov appliance``: platform tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.smbios import read_table, report_damage
from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.disk.recovery import attachment_rule
from gprov.domain.errors import BadInput, ExitCode, HardwareMismatch, Problem
from gprov.domain.formats.json.value import Json as JsonValue
from gprov.domain.plan.preconditions import check_platform_supported
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.draft import draft_entry, read_hardware
from gprov.domain.platform.facts import platform_entry
from gprov.domain.platform.model import Platform
from gprov.domain.platform.table import PlatformTable, read_platform_table
from gprov.domain.platform.unused import unused_values

app = new_app("Check a platform table (appliance.json), or print one to start from.")


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("default")
def default() -> int:
    """Print the built-in platform table, which is JSON."""
    document({"Variants": [platform_entry(platform) for platform in default_table()]})
    return ExitCode.DONE


@app.command("draft")
def draft(
    smbios: Annotated[
        str, typer.Option(metavar="FILE", help="smbios.b64 as the unit reported it, or a file that gprov smbios reads")
    ],
    hardware: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="hardware.json as the unit reported it, or of gprov hardware dump"),
    ] = None,
) -> int:
    """Print an entry for a machine that no platform matches, which is JSON; _ToDo lists what you have to decide."""
    table = read_table(smbios)
    report_damage(smbios, table)
    found = None if hardware is None else read_hardware(hardware, read_user_file(hardware))
    document({"Variants": [draft_entry(table, found)]})
    return ExitCode.DONE


@app.command("check")
def check(file: Annotated[str, typer.Argument(metavar="FILE", help="a platform table")], as_json: Json = False) -> int:
    """Every problem of a platform table, with its place. Exit status 1 if there is any."""
    data = read_user_file(file)
    table = PlatformTable((), (), ())
    problems: Sequence[Problem] = ()
    try:
        table = read_platform_table(file, data)
    except BadInput as error:
        problems = error.problems
    if as_json:
        document(_report(file, table, problems))
    else:
        _print(file, table, problems)
    return ExitCode.NEGATIVE if problems else ExitCode.DONE


def _report(file: str, table: PlatformTable, problems: Sequence[Problem]) -> dict[str, JsonValue]:
    return {
        "file": file,
        "valid": not problems,
        "problems": problem_rows(problems),
        "platforms": [platform_entry(platform) for platform in table.platforms],
        "readings": problem_rows(table.readings),
        "warnings": problem_rows(_warnings(table)),
    }


def _warnings(table: PlatformTable) -> list[Problem]:
    """Keys that are ignored, values that gprov itself does nothing with in this version, and platforms whose units it
    would refuse."""
    warnings = [*table.unknown]
    for place, platform in zip(table.places, table.platforms, strict=True):
        warnings += [Problem(f"{place}.{unused.place}", unused.message) for unused in unused_values(platform)]
        try:
            check_platform_supported(platform)
            attachment_rule(platform)
        except HardwareMismatch as mismatch:
            warnings.append(Problem(place, f"no unit can be provisioned: {mismatch}"))
    return warnings


def problem_rows(problems: Sequence[Problem]) -> list[JsonValue]:
    return [{"place": problem.place, "message": problem.message} for problem in problems]


def _print(file: str, table: PlatformTable, problems: Sequence[Problem]) -> None:
    for problem in problems:
        say(str(problem))
    for platform in table.platforms:
        say(_line(platform))
    for reading in table.readings:
        say(str(reading))
    warnings = _warnings(table)
    for warning in warnings:
        say(f"warning: {warning}")
    counted = f", {len(warnings)} warning(s)" if warnings else ""
    if problems:
        say(f"{file}: {len(problems)} problem(s)", err=True, colour="red")
    else:
        say(f"{file}: {len(table.platforms)} platform(s), no problems{counted}")


def _line(platform: Platform) -> str:
    raid = "no RAID" if platform.raid_level is None else platform.raid_level.name
    return (
        f"{platform.code_name}: {platform.manufacturer} {platform.product}, model {platform.model_regex!r}, "
        f"{platform.data_disks} x {platform.disk_size / 1e9:.1f} GB, {raid}"
    )
