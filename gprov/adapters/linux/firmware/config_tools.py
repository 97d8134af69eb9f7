"""Configuration tools as programs: verbs as arguments, secrets on standard input, JSON on standard output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from typing_extensions import override

from gprov.domain.errors import BadInput, DeadlineExceeded, ToolFailed, ToolLocked
from gprov.domain.mfg.config_tool import (
    STORAGE,
    Change,
    StorageMode,
    ToolFacts,
    ToolStatus,
    parse_change,
    parse_probe,
    parse_storage,
    secret_lines,
)
from gprov.domain.mfg.scrubbing import scrub
from gprov.domain.unit.credentials import Secret
from gprov.ports.config_tool import ConfigTools
from gprov.ports.process import Completed, Processes

# Tools of vendors talk to the firmware through a slow interface.
_SECONDS = 900.0
_TAIL = 4096
_REASONS = {
    ToolStatus.USAGE: "the tool does not know this verb: see the contract in docs/reference/bios-tools.md",
    ToolStatus.OTHER_MACHINE: "the tool is not for this machine",
    ToolStatus.LOCKED: "the setup has a password, and none or another one was given",
}

T = TypeVar("T")


class ProgramConfigTools(ConfigTools):
    """``environment``: variables that the tools get, as steps do."""

    def __init__(self, processes: Processes, environment: Mapping[str, str]) -> None:
        self._processes = processes
        self._environment = dict(environment)

    @override
    def installed(self, program: str) -> bool:
        return self._processes.which(program) is not None

    @override
    def probe(self, program: str) -> ToolFacts:
        return self._ask((program, "probe"), (), parse_probe)

    @override
    def storage_mode(self, program: str) -> StorageMode:
        return self._ask((program, "get", STORAGE), (), parse_storage)

    @override
    def set_storage_mode(self, program: str, mode: StorageMode, unlock: Secret | None) -> Change:
        return self._change((program, "set", STORAGE, mode.value), (unlock,))

    @override
    def apply(self, program: str, settings: str, unlock: Secret | None) -> Change:
        return self._change((program, "apply", settings), (unlock,))

    @override
    def set_password(self, program: str, password: Secret, unlock: Secret | None) -> Change:
        return self._change((program, "set-password"), (password, unlock))

    def _change(self, argv: Sequence[str], secrets: Sequence[Secret | None]) -> Change:
        done = self._ask(argv, secrets, parse_change)
        revealed = [secret.reveal() for secret in secrets if secret is not None]
        notes = (scrub(note.encode(errors="replace"), revealed).decode(errors="replace") for note in done.notes)
        return replace(done, notes=tuple(notes))

    def _ask(self, argv: Sequence[str], secrets: Sequence[Secret | None], parse: Callable[[str, bytes], T]) -> T:
        command = " ".join(argv)
        try:
            done = self._processes.run(
                argv, stdin=secret_lines(secrets), env=self._environment, timeout=_SECONDS, check=False
            )
        except DeadlineExceeded as error:
            raise ToolFailed(argv[0], f"not done within {error.seconds:g} s", command=command) from None
        revealed = [secret.reveal() for secret in secrets if secret is not None]
        # Scrubbed before it is cut: the scrubbing does not find half a password.
        shown = scrub(done.errors or done.output, revealed)[-_TAIL:].decode(errors="replace")
        if done.status != ToolStatus.DONE:
            raise _failure(argv[0], command, done, shown)
        try:
            return parse(command, done.output)
        except BadInput as error:
            problems = "; ".join(str(problem) for problem in error.problems)
            hidden = scrub(problems.encode(), revealed).decode(errors="replace")
            reason = f"its reply is not that of a configuration tool (docs/reference/bios-tools.md): {hidden}"
            raise ToolFailed(argv[0], reason, command=command, output=shown) from None


def _failure(program: str, command: str, done: Completed, shown: str) -> ToolFailed:
    last = shown.strip().splitlines()[-1:] or [""]
    known = _REASONS.get(ToolStatus(done.status)) if done.status in set(ToolStatus) else None
    reason = f"exit status {done.status}: {known}" if known else f"exit status {done.status}"
    reason = f"{reason}: {last[0]}" if last[0] else reason
    kind = ToolLocked if done.status == ToolStatus.LOCKED else ToolFailed
    return kind(program, reason, command=command, output=shown)
