"""Parses ``CustomPlatCfgSteps`` of manufData.json."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from gprov.domain.errors import Problem
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.mfg.command import (
    NO_WORD,
    PASSWORDS,
    ParsedCommand,
    TemplateValue,
    Word,
    parse_command,
    parse_template,
)
from gprov.domain.mfg.config_tool import ToolUse
from gprov.domain.mfg.fileread import read_into_folder
from gprov.domain.mfg.files import RemoteFile
from gprov.domain.mfg.steps import Command, ConfigStep, ExitStatus, PlatformSteps, StepPoint

E = TypeVar("E", bound=Enum)


def _words(members: type[E], prefix: str) -> dict[str, E]:
    bare = {str(member.value): member for member in members}
    return bare | {prefix + word: member for word, member in bare.items()}


_WHEN = _words(StepPoint, "Run")
_EXIT_STATUS = _words(ExitStatus, "ES")


def read_platform_steps(entry: JsonObject, warnings: list[Problem]) -> PlatformSteps:
    steps = tuple(_step(step, warnings) for step in entry.objects("ConfigSteps"))
    settings = {
        **_settings(entry, "BiosSettings", ToolUse.BIOS, warnings),
        **_settings(entry, "IpmiSettings", ToolUse.IPMI, warnings),
    }
    return PlatformSteps(entry.text("DevCodeName", required=True), steps, settings)


def _settings(entry: JsonObject, key: str, use: ToolUse, warnings: list[Problem]) -> dict[ToolUse, RemoteFile]:
    """None or one: a file for a configuration tool."""
    inner = entry.object(key)
    if inner is None:
        return {}
    (file,) = read_into_folder((inner,), warnings)
    return {use: file}


def _step(entry: JsonObject, warnings: list[Problem]) -> ConfigStep:
    if not entry.has("When"):
        warnings.append(Problem(f"{entry.path}.When", f"is missing; {StepPoint.BEFORE_QA.value} is taken"))
    before = len(entry.problems)
    when = entry.one_of("When", _WHEN, StepPoint.BEFORE_QA)
    known = when if len(entry.problems) == before else None
    return ConfigStep(
        name=entry.text("Name"),
        when=when,
        files=read_into_folder(entry.objects("Files"), warnings),
        commands=tuple(_command(command, known, warnings) for command in entry.objects("Commands")),
        verbose=entry.boolean("Verbose"),
    )


def _command(entry: JsonObject, when: StepPoint | None, warnings: list[Problem]) -> Command:
    text = entry.text("Command", required=True)
    parsed = parse_command(text) if text.strip() else ParsedCommand(())
    _note(entry, "Command", parsed, when)
    if parsed.shell_only:
        warnings.append(
            Problem(
                f"{entry.path}.Command", f"no shell runs it: {' '.join(parsed.shell_only)} are passed on as they are"
            )
        )
    return Command(
        text=text,
        words=parsed.words,
        exit_status=entry.one_of("ExitStatus", _EXIT_STATUS, ExitStatus.MUST_SUCCEED),
        add_path=_template(entry, "AddPath", when),
        add_lib_path=_template(entry, "AddLibPath", when),
    )


def _template(entry: JsonObject, key: str, when: StepPoint | None) -> Word:
    parsed = parse_template(entry.text(key))
    _note(entry, key, parsed, when)
    return parsed.words[0] if parsed.words else NO_WORD


def _note(entry: JsonObject, key: str, parsed: ParsedCommand, when: StepPoint | None) -> None:
    """Report problems of a text, and templates whose value is not available at the step point."""
    for message in parsed.problems:
        entry.problem(key, message)
    if when is None:
        return
    used = frozenset[TemplateValue]().union(*(word.values for word in parsed.words))
    early = (set() if when.recovery_available else {TemplateValue.RECOVERY_DIR}) | (
        set() if when.passwords_available else PASSWORDS
    )
    for value in sorted(used & early, key=lambda template: template.value):
        entry.problem(key, f"{{{{.{value.value}}}}} is not available at {when.value}")
