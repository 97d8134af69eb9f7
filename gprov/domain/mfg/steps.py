"""Steps that a platform adds to provisioning: when they run, which files and commands they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from gprov.domain.errors import InternalError
from gprov.domain.mfg.command import NO_WORD, Part, TemplateValue, Word
from gprov.domain.mfg.files import RemoteFile
from gprov.domain.unit.credentials import Credentials

HIDDEN = "***"


class StepPoint(Enum):
    """Points of provisioning, in the order in which they come. Files may write them with ``Run`` before the word."""

    BEFORE_QA = "BeforeQA"
    AFTER_QA = "AfterQA"
    BEFORE_IMAGING = "BeforeImaging"
    AFTER_IMAGING = "AfterImaging"
    BEFORE_MFG = "BeforeMfg"
    AFTER_MFG = "AfterMfg"
    BEFORE_PASSWORDS = "BeforePWSet"
    AFTER_PASSWORDS = "AfterPWSet"

    @property
    def recovery_available(self) -> bool:
        """RECOVERY exists and is mounted by then."""
        return self not in (StepPoint.BEFORE_QA, StepPoint.AFTER_QA)

    @property
    def passwords_available(self) -> bool:
        return self in (StepPoint.BEFORE_PASSWORDS, StepPoint.AFTER_PASSWORDS)


class ExitStatus(Enum):
    """What a command's exit status must be. Files may write them with ``ES`` before the word."""

    MUST_SUCCEED = "MustSucceed"
    DONT_CARE = "DontCare"
    MUST_FAIL = "MustFail"

    def accepts(self, status: int) -> bool:
        if self is ExitStatus.DONT_CARE:
            return True
        return (status == 0) == (self is ExitStatus.MUST_SUCCEED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """``text`` as the file has it, for logs. ``add_path`` is for programs that the command starts, not for the command
    itself; ``add_lib_path`` for both."""

    text: str
    words: tuple[Word, ...]
    exit_status: ExitStatus = ExitStatus.MUST_SUCCEED
    add_path: Word = NO_WORD
    add_lib_path: Word = NO_WORD


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigStep:
    """Files are fetched, archives among them unpacked, then commands run in order. ``verbose``: log their output."""

    name: str
    when: StepPoint
    files: tuple[RemoteFile, ...] = ()
    commands: tuple[Command, ...] = ()
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class PlatformSteps:
    code_name: str
    steps: tuple[ConfigStep, ...]

    def at(self, when: StepPoint) -> tuple[ConfigStep, ...]:
        return tuple(step for step in self.steps if step.when is when)


@dataclass(frozen=True, slots=True)
class StepValues:
    """What templates stand for. None: not known yet, and a command that asks for it is wrong."""

    dl_dir: str
    serial: str
    recovery_dir: str | None = None
    credentials: Credentials | None = field(default=None, repr=False)


def expand(command: Command, values: StepValues) -> tuple[str, ...]:
    """The argument vector. It may hold passwords: show it only as ``redacted``.

    Raises InternalError if a value is not known yet (a parsed file never asks too early).
    """
    return tuple(_text(word, values) for word in command.words)


def environment(command: Command, values: StepValues, path: str) -> dict[str, str]:
    """Variables that the command adds to its environment; ``path`` is the search path without it."""
    added = {}
    extra_path = _text(command.add_path, values)
    if extra_path:
        added["PATH"] = f"{extra_path}:{path}" if path else extra_path
    libraries = _text(command.add_lib_path, values)
    if libraries:
        added["LD_LIBRARY_PATH"] = libraries
    return added


def redacted(argv: Sequence[str], values: StepValues) -> tuple[str, ...]:
    """For logs: the same words without passwords."""
    return tuple(redact_text(word, values) for word in argv)


def redact_text(text: str, values: StepValues) -> str:
    """For logs: text (a command's output, say) without passwords."""
    known = values.credentials
    secrets = {secret.reveal() for secret in (known.os, known.bios, known.ipmi)} - {""} if known else set()
    # Longest first: one password may be the start of another.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _text(word: Word, values: StepValues) -> str:
    return "".join(_value(part, values) for part in word.parts)


def _value(part: Part, values: StepValues) -> str:
    if isinstance(part, str):
        return part
    text = _known(part, values)
    if text is None:
        raise InternalError(f"{{{{.{part.value}}}}} is not known yet")
    if "\0" in text:
        raise InternalError(f"{{{{.{part.value}}}}} holds a NUL, which no argument can")
    return text


def _known(value: TemplateValue, values: StepValues) -> str | None:
    credentials = values.credentials
    match value:
        case TemplateValue.DL_DIR:
            return values.dl_dir
        case TemplateValue.RECOVERY_DIR:
            return values.recovery_dir
        case TemplateValue.SERIAL:
            return values.serial
        case TemplateValue.BIOS:
            return credentials.bios.reveal() if credentials else None
        case TemplateValue.IPMI:
            return credentials.ipmi.reveal() if credentials else None
        case TemplateValue.OS:
            return credentials.os.reveal() if credentials else None
    assert_never(value)
