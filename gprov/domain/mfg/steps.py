"""Provisioning steps of a platform: step points, files, commands, and expansion of templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from gprov.domain.errors import InternalError
from gprov.domain.mfg.command import NO_WORD, Part, TemplateValue, Word
from gprov.domain.mfg.config_tool import ToolUse
from gprov.domain.mfg.files import RemoteFile
from gprov.domain.mfg.scrubbing import scrub
from gprov.domain.unit.credentials import Credentials


class StepPoint(Enum):
    """Step points, in the order of provisioning. Files may prefix the word with ``Run``."""

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
        """Whether RECOVERY exists and is mounted at this point."""
        return self not in (StepPoint.BEFORE_QA, StepPoint.AFTER_QA)

    @property
    def passwords_available(self) -> bool:
        return self in (StepPoint.BEFORE_PASSWORDS, StepPoint.AFTER_PASSWORDS)


class ExitStatus(Enum):
    """Required exit status of a command. Files may prefix the word with ``ES``."""

    MUST_SUCCEED = "MustSucceed"
    DONT_CARE = "DontCare"
    MUST_FAIL = "MustFail"

    def accepts(self, status: int) -> bool:
        if self is ExitStatus.DONT_CARE:
            return True
        return (status == 0) == (self is ExitStatus.MUST_SUCCEED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """``text``: as in the file, for logs. ``add_path`` applies to programs that the command starts, not to the command
    itself; ``add_lib_path`` to both."""

    text: str
    words: tuple[Word, ...]
    exit_status: ExitStatus = ExitStatus.MUST_SUCCEED
    add_path: Word = NO_WORD
    add_lib_path: Word = NO_WORD


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigStep:
    """Files are fetched, archives are unpacked, then the commands run in order. ``verbose``: log their output."""

    name: str
    when: StepPoint
    files: tuple[RemoteFile, ...] = ()
    commands: tuple[Command, ...] = ()
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class PlatformSteps:
    """``settings``: files for the platform's configuration tools."""

    code_name: str
    steps: tuple[ConfigStep, ...]
    settings: Mapping[ToolUse, RemoteFile] = field(default_factory=dict)

    def at(self, when: StepPoint) -> tuple[ConfigStep, ...]:
        return tuple(step for step in self.steps if step.when is when)


@dataclass(frozen=True, slots=True)
class StepValues:
    """Values of templates. None: not available yet; a command that uses it is an error."""

    dl_dir: str
    serial: str
    recovery_dir: str | None = None
    credentials: Credentials | None = field(default=None, repr=False)


def expand(command: Command, values: StepValues) -> tuple[str, ...]:
    """The argument vector. It may contain passwords: log it as ``redacted`` only.

    Raises InternalError if a value is not available yet (the parser prevents that).
    """
    return tuple(_text(word, values) for word in command.words)


def environment(command: Command, values: StepValues, path: str) -> dict[str, str]:
    """Environment variables that the command adds; ``path``: the search path without ``AddPath``."""
    added = {}
    extra_path = _text(command.add_path, values)
    if extra_path:
        added["PATH"] = f"{extra_path}:{path}" if path else extra_path
    libraries = _text(command.add_lib_path, values)
    if libraries:
        added["LD_LIBRARY_PATH"] = libraries
    return added


def redacted(argv: Sequence[str], values: StepValues) -> tuple[str, ...]:
    """Replace passwords in the words, for logs."""
    return tuple(redact_text(word, values) for word in argv)


def redact_text(text: str, values: StepValues) -> str:
    """Replace passwords in a text, in all forms of ``scrubbing``, for logs."""
    return redact_output(text.encode("utf-8", "surrogatepass"), values)


def redact_output(output: bytes, values: StepValues) -> str:
    """What a command printed as text, without passwords. Give it the whole output: a password in it may be cut by a
    line break or at the end of a part."""
    issued = values.credentials
    secrets = [secret.reveal() for secret in issued.secrets()] if issued else []
    return scrub(output, secrets).decode(errors="replace")


def _text(word: Word, values: StepValues) -> str:
    return "".join(_value(part, values) for part in word.parts)


def _value(part: Part, values: StepValues) -> str:
    if isinstance(part, str):
        return part
    text = _known(part, values)
    if text is None:
        raise InternalError(f"{{{{.{part.value}}}}} is not available yet")
    if "\0" in text:
        raise InternalError(f"{{{{.{part.value}}}}} contains NUL, which is not possible in an argument")
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
