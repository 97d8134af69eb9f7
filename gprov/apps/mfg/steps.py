"""Steps and stash archives of the factory: fetch, unpack, run, check the exit status."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gprov.apps.mfg.ports import MfgPorts
from gprov.apps.mfg.step_archive import unpack_archive
from gprov.apps.mfg.step_log import StepLog
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.execution.fetch import fetch_file
from gprov.domain.errors import BadInput, DeadlineExceeded, DeviceFault, Problem, ToolFailed, ToolMissing
from gprov.domain.files import FileType
from gprov.domain.mfg.files import RemoteFile
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mfg.qa.record import CommandRecord
from gprov.domain.mfg.stepenv import SHEBANG_BYTES, kernel_variables, script_argv, why_not_started
from gprov.domain.mfg.steps import (
    Command,
    ConfigStep,
    ExitStatus,
    StepPoint,
    StepValues,
    environment,
    expand,
    redact_output,
    redact_text,
    redacted,
)
from gprov.domain.plan.file_operations import fetch_of
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.credentials import Credentials
from gprov.ports.process import SEARCH_PATH, Completed

# In the memory of the unit (tmpfs).
TEMPORARY = "/run/gprov"
COMMAND_SECONDS = 3600.0
# A fixed path of RECOVERY for scripts, whatever the volume is called.
RECOVERY_LINK = "/mnt/recov"
_SHELL_SUFFIX = ".sh"
# Key of manufData.json, beside the step points.
_STASH = "StashFiles"


@dataclass(frozen=True, kw_only=True)
class StepRunner:
    """Runs the steps of ``manufData.json`` for this platform. A failure that a step does not allow raises its error.
    ``verbose``: log what all commands print, as if each step asked for it. ``log``: what has run."""

    ports: MfgPorts
    data: ManufData
    unit: Unit
    context: UnitContext
    verbose: bool = False
    log: StepLog = field(default_factory=StepLog)

    def run(self, when: StepPoint, credentials: Credentials | None = None) -> None:
        """Raises NetworkFault, IntegrityFault, ToolFailed, ToolMissing."""
        if when.recovery_available:
            self._link_recovery()
        for number, step in enumerate(self.data.steps_for(self.unit.platform.code_name).at(when)):
            folder = f"{TEMPORARY}/{when.value}-{number}"
            try:
                self._step(step, folder, credentials)
            finally:
                self.ports.volumes.files.remove(folder)

    def stash(self) -> None:
        """Fetch each stash archive and run its one script."""
        self._link_recovery()
        for number, file in enumerate(self.data.stash_files):
            folder = f"{TEMPORARY}/stash-{number}"
            try:
                self.log.begin(_STASH, file.describe())
                self._fetch(file, folder)
                self._run_script(file, folder)
            finally:
                self.ports.volumes.files.remove(folder)

    def _step(self, step: ConfigStep, folder: str, credentials: Credentials | None) -> None:
        self.context.bus.message(f"Step {step.name}")
        self.log.begin(step.when.value, step.name)
        self.ports.volumes.files.make_folder(folder, mode=0o700)
        for file in step.files:
            self._fetch(file, folder)
        values = StepValues(
            folder,
            self.unit.serial,
            self.context.mount_points.recovery if step.when.recovery_available else None,
            credentials if step.when.passwords_available else None,
        )
        for command in step.commands:
            self._command(step, command, values)

    def _command(self, step: ConfigStep, command: Command, values: StepValues) -> None:
        argv = expand(command, values)
        shown = shlex.join(redacted(argv, values))
        self.context.bus.log(f"run: {shown}")
        clock, started = self.ports.volumes.clock, self.ports.volumes.clock.monotonic()
        completed = self._run_process(argv, self._environment(command, values), values)
        seconds = clock.monotonic() - started
        self.log.ran(CommandRecord(shown, completed.status, command.exit_status.value, seconds))
        if step.verbose or self.verbose:
            self._log_output(completed, values)
        if not command.exit_status.accepts(completed.status):
            # Scrubbed before it is cut: the scrubbing does not find half a password.
            tail = redact_output(completed.errors or completed.output, values)[-4096:]
            reason = f"exit status {completed.status}, but it {command.exit_status.value}"
            raise ToolFailed(redact_text(argv[0], values), reason, command=shown, output=tail)

    def _environment(self, command: Command, values: StepValues) -> dict[str, str]:
        return kernel_variables(self.context.arguments.environment) | environment(command, values, SEARCH_PATH)

    def _link_recovery(self) -> None:
        files, recovery = self.ports.volumes.files, self.context.mount_points.recovery
        if recovery != RECOVERY_LINK and files.status(RECOVERY_LINK) is None:
            files.symlink(recovery, RECOVERY_LINK)

    def _run_process(self, argv: Sequence[str], env: Mapping[str, str], values: StepValues) -> Completed:
        """Errors contain the scrubbed name of the program and no cause: a path may contain a password too."""
        program = redact_text(argv[0], values)
        try:
            return self.ports.processes.run(argv, env=env, cwd=values.dl_dir, timeout=COMMAND_SECONDS, check=False)
        except DeadlineExceeded as error:
            shown = shlex.join(redacted(argv, values))
            raise ToolFailed(program, f"not done within {error.seconds:g} s", command=shown) from None
        except ToolMissing:
            raise ToolMissing(program) from None
        except DeviceFault as fault:
            reason = self._why_not_started(argv[0]) or fault.reason
            raise DeviceFault(program, redact_text(reason, values), errno=fault.errno) from None

    def _log_output(self, done: Completed, values: StepValues) -> None:
        # Before it is split: an encoded password may go over several lines.
        for output in (done.output, done.errors):
            for line in redact_output(output, values).splitlines():
                self.context.bus.log(f"  {line}")

    def _fetch(self, file: RemoteFile, folder: str) -> None:
        self.ports.volumes.files.make_folder(folder, mode=0o700)
        target = f"{folder}/{file.name}"
        fetch_file(self.ports.http, self.ports.volumes.files, fetch_of(file, target), self.context.bus)
        if file.is_archive:
            unpack_archive(file, target, folder, self.ports.volumes.files, self.ports.processes)

    def _run_script(self, file: RemoteFile, folder: str) -> None:
        scripts = [name for name in self.ports.volumes.files.names(folder) if self._is_script(folder, name)]
        if len(scripts) != 1:
            found = ", ".join(scripts) or "none"
            raise BadInput(file.describe(), [Problem("*.sh", f"must be exactly one at top level, found: {found}")])
        self.context.bus.log(f"run: {scripts[0]} of {file.describe()}")
        script = f"{folder}/{scripts[0]}"
        start = self.ports.volumes.files.read_start(script, SHEBANG_BYTES)
        env = kernel_variables(self.context.arguments.environment)
        env |= {"RECOVERY": self.context.mount_points.recovery, "SERIAL": self.unit.serial}
        argv = script_argv(script, start)
        clock, started = self.ports.volumes.clock, self.ports.volumes.clock.monotonic()
        try:
            done = self.ports.processes.run(argv, env=env, cwd=folder, timeout=COMMAND_SECONDS)
        except (ToolMissing, ToolFailed) as error:
            reason = self._why_not_started(script)
            if reason:
                raise BadInput(file.describe(), [Problem(scripts[0], reason)]) from error
            raise
        shown = shlex.join((*argv[:-1], scripts[0]))
        wanted = ExitStatus.MUST_SUCCEED.value
        self.log.ran(CommandRecord(shown, done.status, wanted, clock.monotonic() - started))

    def _why_not_started(self, path: str) -> str:
        """``path``: of a program; the reason is "" for a name without a folder."""
        files, processes = self.ports.volumes.files, self.ports.processes
        if not path.startswith("/") or files.status(path) is None:
            return ""
        return why_not_started(files.read_start(path, SHEBANG_BYTES), lambda name: processes.which(name) is not None)

    def _is_script(self, folder: str, name: str) -> bool:
        """A regular file: a link could lead to a file outside the archive."""
        status = self.ports.volumes.files.status(f"{folder}/{name}")
        return name.endswith(_SHELL_SUFFIX) and status is not None and status.type is FileType.FILE
