"""Options that planning and running an erase have in common, and how a plan is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import typer

from gprov.apps.host.erase.planning import BenchPlan, TimeEstimate
from gprov.apps.host.erase.scope import confirmation_word
from gprov.domain.disk.model import Disk
from gprov.domain.erase.choose import preference
from gprov.domain.erase.request import EraseRequest, OnFailure, ReadBack, Scheme
from gprov.domain.erase.scope import LeftOut, Scope
from gprov.domain.erase.techniques import TECHNIQUES, Level, Technique
from gprov.domain.erase.variable_choice import parse_choice
from gprov.domain.formats.json.value import Json as JsonValue

_MINUTE = 60.0
_HOUR = 3600.0

Disks = Annotated[
    list[str] | None,
    typer.Option(
        "--disk",
        metavar="NODE",
        help="a disk, also a removable one or a loop device (default: all built-in disks that are not in use)",
    ),
]
OneTechnique = Annotated[
    Technique | None,
    typer.Option(
        "--technique",
        "--method",
        metavar=f"[{'|'.join(one.value for one in sorted(Technique, key=preference))}]",
        help="use this one and no other; they are listed in the order of choice",
    ),
]
OptIn = Annotated[
    list[Technique] | None,
    typer.Option(
        "--opt-in",
        metavar=f"[{'|'.join(one.value for one in sorted(Technique, key=preference) if TECHNIQUES[one].opt_in)}]",
        help="also use this technique, which is used only on request",
    ),
]


def level_named(text: str) -> Level:
    """Also with the hyphen of the kernel argument."""
    for level in Level:
        if text in (level.value, level.value.replace(" ", "-")):
            return level
    names = ", ".join(level.value.replace(" ", "-") for level in Level)
    raise typer.BadParameter(f"{text} is none of {names}")


ClearVariables = Annotated[
    bool,
    typer.Option("--clear-uefi-variables", help="remove firmware variables of THIS machine that earlier systems left"),
]
NamedVariables = Annotated[
    list[str] | None,
    typer.Option(
        "--uefi-variable",
        metavar="NAME-GUID|GUID",
        help="remove this variable, or all of this vendor, too; may be repeated, includes --clear-uefi-variables",
    ),
]
ClearTpm = Annotated[bool, typer.Option("--clear-tpm", help="clear the TPM of THIS machine")]
WantedLevel = Annotated[
    str,
    typer.Option(
        "--level",
        metavar="[not-classified|clear|purge]",
        help="refuse disks that cannot reach it; a lower result is a failure",
    ),
]
Passes = Annotated[
    Scheme, typer.Option("--scheme", help="an overwrite: stamped differs in each sector; three is 0x55, 0xAA, 0x00")
]
Compared = Annotated[ReadBack, typer.Option("--read-back", help="verification of an overwrite")]


def request_of(
    technique: Technique | None,
    opt_in: list[Technique] | None,
    level: str,
    scheme: Scheme,
    read_back: ReadBack,
    on_failure: OnFailure = OnFailure.NEXT,
) -> EraseRequest:
    """Options without an effect are wrong usage."""
    if opt_in and technique is not None:
        raise typer.BadParameter("has no effect beside --technique", param_hint="'--opt-in'")
    for one in opt_in or ():
        if not TECHNIQUES[one].opt_in:
            how = "only if --technique names it" if one is Technique.DISCARD else "without a request"
            raise typer.BadParameter(f"{one.value} is used {how}", param_hint="'--opt-in'")
    return EraseRequest(
        level=level_named(level),
        technique=technique,
        opted_in=frozenset(opt_in or ()),
        on_failure=on_failure,
        scheme=scheme,
        read_back=read_back,
    )


def with_machine_data(
    request: EraseRequest, clear_variables: bool, named: list[str] | None, clear_tpm: bool
) -> EraseRequest:
    """The request, with what concerns this machine."""
    try:
        choices = tuple(dict.fromkeys(map(parse_choice, named or ())))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--uefi-variable'") from error
    return replace(
        request,
        clear_uefi_variables=clear_variables or bool(choices),
        uefi_variables=choices,
        clear_tpm=clear_tpm,
    )


def includes_loops(nodes: list[str] | None) -> bool:
    """Loop devices are disks only if one is named."""
    return any(os.path.realpath(node).rpartition("/")[2].startswith("loop") for node in nodes or ())


def unsuitable(plans: tuple[BenchPlan, ...], level: Level) -> Iterator[str]:
    """Disks that the request cannot be met for, with reasons."""
    for plan in plans:
        disk = plan.erasure.disk
        if not plan.erasure.choice.techniques:
            reasons = "; ".join(f"{one.technique.value}: {one.reason}" for one in plan.erasure.choice.refusals)
            yield f"{disk.describe()} is not erased: no technique can be used ({reasons})"
        elif plan.best.rank < level.rank:
            problem = f"{disk.describe()} is not erased: no technique that can be used reaches the level {level.value}"
            if level is Level.CLEAR:
                problem += "; --level not-classified accepts that"
            yield problem


def plan_lines(plan: BenchPlan) -> Iterator[str]:
    report = plan.erasure.report
    yield f"{plan.erasure.disk.describe()}: wanted level {plan.erasure.request.level.value}"
    for number, time in enumerate(plan.times, 1):
        facts = TECHNIQUES[time.technique]
        yield f"  {number}. {facts.name} ({time.technique.value}): level {facts.level.value}; {time_text(time)}"
    for refusal in plan.erasure.choice.refusals:
        yield f"  not used: {refusal.technique.value}: {refusal.reason}"
    yield from (f"  not examined: {area}" for area in report.not_examined)
    yield from (f"  note: {note}" for note in report.notes)


def time_text(time: TimeEstimate) -> str:
    if time.seconds is None:
        return f"time unknown: {time.source}"
    return f"{duration_text(time.seconds)} ({time.source})"


def duration_text(seconds: float) -> str:
    """About two significant digits."""
    if seconds < _MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < 2 * _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    return f"{seconds / _HOUR:.1f} h"


def plan_document(plans: tuple[BenchPlan, ...], scope: Scope, problems: list[str]) -> JsonValue:
    return {
        "disks": [_plan_row(plan, scope) for plan in plans],
        "left_out": [_left_out_row(one) for one in scope.left_out],
        "problems": list(problems),
    }


def disk_row(disk: Disk) -> dict[str, JsonValue]:
    return {
        "node": disk.node,
        "vendor": disk.vendor,
        "model": disk.model,
        "serial": disk.serial,
        "size": disk.size,
        "bus": disk.bus.value,
    }


def present_disks(scope: Scope) -> tuple[Disk, ...]:
    return (*scope.disks, *(one.disk for one in scope.left_out))


def _plan_row(plan: BenchPlan, scope: Scope) -> JsonValue:
    erasure = plan.erasure
    return {
        **disk_row(erasure.disk),
        "confirmation": confirmation_word(erasure.disk, present_disks(scope)),
        "techniques": [
            {
                "technique": time.technique.value,
                "level": TECHNIQUES[time.technique].level.value,
                "basis": TECHNIQUES[time.technique].basis,
                "seconds": time.seconds,
                "seconds_source": time.source,
            }
            for time in plan.times
        ],
        "refusals": [{"technique": one.technique.value, "reason": one.reason} for one in erasure.choice.refusals],
        "not_examined": list(erasure.report.not_examined),
        "notes": list(erasure.report.notes),
        "media": erasure.report.media.value,
        "firmware": erasure.report.firmware,
    }


def _left_out_row(one: LeftOut) -> JsonValue:
    return {**disk_row(one.disk), "reason": one.reason}
