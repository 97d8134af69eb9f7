"""Set-up of firmware and management controller by the platform's configuration tools, before anything is partitioned.

A change may need a restart, after which provisioning begins anew and finds that nothing is left to change. Nothing on
the unit can count such restarts before there is a RECOVERY, so the factory server's record of the unit does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.mfg.ports import FactoryServer, MfgPorts
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.execution.fetch import fetch_file
from gprov.domain.errors import BadInput, DeviceFault, GprovError, NetworkFault, Problem, ToolLocked, ToolMissing
from gprov.domain.mfg.config_tool import Change, StorageMode, ToolAbility, ToolFacts, ToolUse, tool_of
from gprov.domain.mfg.files import RemoteFile
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mfg.switches import MfgSwitches, Switch
from gprov.domain.mfg.urls import redacted
from gprov.domain.plan.file_operations import fetch_of
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.ports.clock import Deadline

# In the memory of the unit (tmpfs).
FOLDER = "/run/gprov/settings"
# Of provisionings in a row without an end, from which on a tool that asks for one more restart is a failure: storage
# mode and settings of two tools need three, and a power cut may add some.
MOST_RUNS = 6
# For the report that this provisioning has begun, which is sent in the background.
_REPORT_SECONDS, _REPORT_PAUSE = 60.0, 2.0


class RestartNeeded(GprovError):
    """Not a failure: provisioning goes on after a restart of the unit."""


@dataclass(frozen=True, kw_only=True)
class FirmwareSetup:
    """The configuration tools of one unit. All methods raise ToolFailed, ToolMissing, NetworkFault."""

    ports: MfgPorts
    data: ManufData
    unit: Unit
    server: FactoryServer
    context: UnitContext
    switches: MfgSwitches

    def check(self) -> None:
        """Every tool that the platform names is there, knows this machine and can do what is asked of it. Changes
        nothing. Raises BadInput for settings without a tool that applies them."""
        problems = []
        for use in ToolUse:
            settings = self._settings(use)
            program = tool_of(self.unit.platform, use)
            if program:
                facts = self._probe(use, program)
                able = ToolAbility.SETTINGS in facts.abilities
                reason = "" if able else f"{program} of the platform table cannot apply settings"
            else:
                reason = f"the platform table names no {use.key} to apply them"
            if settings is not None and reason:
                problems.append(Problem(use.settings_key, reason))
        if problems:
            raise BadInput(f"CustomPlatCfgSteps of {self.unit.platform.code_name}", problems)

    def ensure_ahci(self) -> None:
        """Set the firmware's storage mode to AHCI if it has another one: RAID of the firmware hides the disks from
        Linux, or shows them as one. Raises RestartNeeded."""
        program = self._able(ToolUse.BIOS, ToolAbility.STORAGE)
        if not program:
            return
        mode = self.ports.config_tools.storage_mode(program)
        if mode is StorageMode.AHCI:
            return
        if Switch.STOP_AFTER_VALIDATE in self.switches:
            self.context.bus.warning(f"the storage mode is {mode.value}; it stays, as this run changes nothing")
            return
        self.context.bus.message(f"Storage mode is {mode.value}; changing it to {StorageMode.AHCI.value}")
        self._carry_out(
            "storage mode",
            lambda unlock: self.ports.config_tools.set_storage_mode(program, StorageMode.AHCI, unlock),
        )
        mode = self.ports.config_tools.storage_mode(program)
        if mode is not StorageMode.AHCI:
            raise DeviceFault(program, f"has set the storage mode to ahci, but it is {mode.value} without a restart")

    def apply_settings(self) -> None:
        """Raises RestartNeeded, IntegrityFault (the file has another hash)."""
        for use in ToolUse:
            settings, program = self._settings(use), tool_of(self.unit.platform, use)
            if settings is not None and program:
                self._apply(use, program, settings)

    def set_password(self, credentials: Credentials) -> str:
        """Set the password of the BIOS setup, if the platform has a tool that can; returns the tool's name, else ""."""
        if Switch.NO_BIOS_PW in self.switches:
            self.context.bus.warning(f"{Switch.NO_BIOS_PW.value}: the BIOS gets no password")
            return ""
        program = self._able(ToolUse.BIOS, ToolAbility.PASSWORD)
        if not program:
            return ""
        tools, password = self.ports.config_tools, credentials.bios
        self._log(
            "BIOS password", self._unlocked(lambda unlock: tools.set_password(program, password, unlock), credentials)
        )
        return program

    def _apply(self, use: ToolUse, program: str, settings: RemoteFile) -> None:
        files, path = self.ports.volumes.files, f"{FOLDER}/{settings.name}"
        files.make_folder(FOLDER, mode=0o700)
        try:
            fetch_file(self.ports.http, files, fetch_of(settings, path), self.context.bus)
            self._carry_out(use.settings_key, lambda unlock: self.ports.config_tools.apply(program, path, unlock))
        finally:
            files.remove(FOLDER)

    def _carry_out(self, what: str, change: Callable[[Secret | None], Change]) -> None:
        """Raises RestartNeeded if the change takes effect at a restart, DeviceFault after too many of these."""
        done = self._unlocked(change)
        self._log(what, done)
        if not done.restart:
            return
        runs = self._runs()
        if runs >= MOST_RUNS:
            reason = f"still asks for a restart in run {runs} of provisioning: what it sets does not last"
            raise DeviceFault(what, reason)
        raise RestartNeeded(f"{what} changed: the unit restarts, and provisioning begins again")

    def _runs(self) -> int:
        """Provisionings in a row without an end, the present one included: its report may arrive late."""
        clock, serial = self.ports.volumes.clock, self.unit.serial
        deadline = Deadline(clock, _REPORT_SECONDS)
        while not (runs := self.server.runs.unfinished_runs(serial)):
            if deadline.passed:
                reason = "has no record of this provisioning, so that restarts cannot be counted; see the server's log"
                raise NetworkFault(redacted(self.data.log_endpoint), reason)
            clock.sleep(_REPORT_PAUSE)
        return runs

    def _unlocked(self, change: Callable[[Secret | None], Change], credentials: Credentials | None = None) -> Change:
        """A unit that was provisioned before has a password: one that the factory has for it, or had before it was
        replaced."""
        try:
            return change(None)
        except ToolLocked:
            self.context.bus.log("the setup has a password: trying the one of this unit")
        if credentials is None:
            endpoint = self.data.credential_endpoint
            credentials = self.server.credentials.credentials(self.unit.serial, endpoint)
        *first, last = (credentials.bios, *(earlier.password for earlier in credentials.earlier_bios))
        for password in first:
            try:
                return change(password)
            except ToolLocked:
                self.context.bus.log("the setup has another password: trying the one that this unit had before")
        return change(last)

    def _probe(self, use: ToolUse, program: str) -> ToolFacts:
        if not self.ports.config_tools.installed(program):
            code_name = self.unit.platform.code_name
            remedy = "build it into provision.pxe, or let a step BeforeQA put it into /usr/local/bin"
            raise ToolMissing(program, f"{use.key} of {code_name} names it: {remedy}")
        facts = self.ports.config_tools.probe(program)
        able = ", ".join(sorted(ability.value for ability in facts.abilities)) or "nothing"
        self.context.bus.log(f"{use.key}: {facts.name}, can do: {able}")
        return facts

    def _able(self, use: ToolUse, ability: ToolAbility) -> str:
        """The platform's program if it has this ability, else ""."""
        program = tool_of(self.unit.platform, use)
        return program if program and ability in self.ports.config_tools.probe(program).abilities else ""

    def _settings(self, use: ToolUse) -> RemoteFile | None:
        return self.data.steps_for(self.unit.platform.code_name).settings.get(use)

    def _log(self, what: str, done: Change) -> None:
        self.context.bus.log(f"{what}: {'changed' if done.changed else 'was right already'}")
        for note in done.notes:
            self.context.bus.log(f"  {note}")
