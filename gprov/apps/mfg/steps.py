"""The factory's own steps and stash archives: fetch, unpack, run, judge by exit status."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gprov.apps.unit.execution.executor import Tools
from gprov.apps.unit.execution.fetch import fetch_file
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeadlineExceeded, DeviceFault, Problem, ToolFailed, ToolMissing
from gprov.domain.files import FileType
from gprov.domain.mfg.files import RemoteFile
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mfg.steps import Command, ConfigStep, StepValues, When, environment, expand, redacted, scrub
from gprov.domain.mountpoints import Places
from gprov.domain.plan.file_operations import FetchFile
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.credentials import Credentials
from gprov.ports.process import SEARCH_PATH, Completed, Processes

# In the memory of a unit that runs nothing but us.
TEMPORARY = "/run/gprov"
COMMAND_SECONDS = 3600.0
_SHELL_SUFFIX = ".sh"


@dataclass(frozen=True, kw_only=True)
class StepRunner:
    """Runs what manufData.json adds for this platform. Every failure is fatal unless the step says otherwise."""

    processes: Processes
    tools: Tools
    data: ManufData
    unit: Unit
    places: Places
    bus: EventBus

    def run(self, when: When, credentials: Credentials | None = None) -> None:
        """Raises NetworkFault, IntegrityFault, ToolFailed, ToolMissing."""
        for number, step in enumerate(self.data.steps_for(self.unit.platform.code_name).at(when)):
            folder = f"{TEMPORARY}/{when.value}-{number}"
            try:
                self._step(step, folder, credentials)
            finally:
                self.tools.files.remove(folder)

    def stash(self) -> None:
        """Fetch each stash archive and run its one script."""
        for number, file in enumerate(self.data.stash_files):
            folder = f"{TEMPORARY}/stash-{number}"
            try:
                self._fetch(file, folder)
                self._run_script(file, folder)
            finally:
                self.tools.files.remove(folder)

    def _step(self, step: ConfigStep, folder: str, credentials: Credentials | None) -> None:
        self.bus.message(f"Step {step.name}")
        self.tools.files.make_folder(folder, mode=0o700)
        for file in step.files:
            self._fetch(file, folder)
        values = StepValues(
            folder,
            self.unit.serial,
            self.places.recovery if step.when.knows_recovery else None,
            credentials if step.when.knows_passwords else None,
        )
        for command in step.commands:
            self._command(step, command, values)

    def _command(self, step: ConfigStep, command: Command, values: StepValues) -> None:
        argv = expand(command, values)
        shown = shlex.join(redacted(argv, values))
        self.bus.log(f"run: {shown}")
        done = self._completed(argv, environment(command, values, SEARCH_PATH), values)
        if step.verbose:
            self._log_output(done, values)
        if not command.exit_status.accepts(done.status):
            # Cut behind the scrubbing: half a password is none that it would find.
            tail = scrub((done.errors or done.output).decode(errors="replace"), values)[-4096:]
            reason = f"exit status {done.status}, but it {command.exit_status.value}"
            raise ToolFailed(scrub(argv[0], values), reason, command=shown, output=tail)

    def _completed(self, argv: Sequence[str], env: Mapping[str, str], values: StepValues) -> Completed:
        """Errors name the program, which may be made of a password too: hence no causes, which would show it."""
        program = scrub(argv[0], values)
        try:
            return self.processes.run(argv, env=env, cwd=values.dl_dir, timeout=COMMAND_SECONDS, check=False)
        except DeadlineExceeded as error:
            shown = shlex.join(redacted(argv, values))
            raise ToolFailed(program, f"not done within {error.seconds:g} s", command=shown) from None
        except ToolMissing:
            raise ToolMissing(program) from None
        except DeviceFault as fault:
            raise DeviceFault(program, scrub(fault.reason, values), errno=fault.errno) from None

    def _log_output(self, done: Completed, values: StepValues) -> None:
        for line in (done.output + done.errors).decode(errors="replace").splitlines():
            self.bus.log(f"  {scrub(line, values)}")

    def _fetch(self, file: RemoteFile, folder: str) -> None:
        self.tools.files.make_folder(folder, mode=0o700)
        target = f"{folder}/{file.name}"
        fetch_file(self.tools.http, self.tools.files, FetchFile(file.url, target, file.sha1, file.sha256), self.bus)
        if file.is_archive:
            self.processes.run(unpack_step_argv(target, folder))

    def _run_script(self, file: RemoteFile, folder: str) -> None:
        scripts = [name for name in self.tools.files.names(folder) if self._is_script(folder, name)]
        if len(scripts) != 1:
            found = ", ".join(scripts) or "none"
            raise BadInput(file.describe(), [Problem("*.sh", f"must be exactly one at top level, found: {found}")])
        self.bus.log(f"run: {scripts[0]} of {file.describe()}")
        env = {"RECOVERY": self.places.recovery, "SERIAL": self.unit.serial}
        self.processes.run(["sh", f"{folder}/{scripts[0]}"], env=env, cwd=folder, timeout=COMMAND_SECONDS)

    def _is_script(self, folder: str, name: str) -> bool:
        """A file of its own: a link could name a script that the archive does not hold."""
        status = self.tools.files.status(f"{folder}/{name}")
        return name.endswith(_SHELL_SUFFIX) and status is not None and status.type is FileType.FILE


def unpack_step_argv(archive: str, folder: str) -> list[str]:
    """GNU tar for what steps and stash archives bring. It is trusted as far as its hash is, and still kept inside the
    folder: tar refuses what leads out. Owners and set-uid bits are of no use there, and devices neither (/run does not
    honour them)."""
    return ["tar", "-x", "-f", archive, "-C", folder, "--no-same-owner", "--no-same-permissions"]
