"""What a start that is given up leaves behind: a count and a log on RECOVERY, word to the factory server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.unit.devices.identity import identify_unit, known_rule, read_smbios, stored_fallback
from gprov.apps.unit.execution.executor import Tools
from gprov.apps.unit.network.remote_log import RemotePorts, log_to
from gprov.apps.unit.recovery.budget import BudgetFile
from gprov.apps.unit.recovery.records import read_options
from gprov.apps.unit.recovery.retention import prune_logs
from gprov.apps.unit.recovery.volume import RecoveryPorts, opened_recovery
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.queued import QueuedSink
from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.budget import UNCOUNTED_SECONDS, StartBudget, give_up_pause
from gprov.domain.branding import Branding
from gprov.domain.errors import GprovError
from gprov.domain.mountpoints import Places
from gprov.domain.platform.table import Platform
from gprov.ports.events import EventSink
from gprov.ports.firmware import SmbiosTable

# How long a network that does not come up may keep the unit from showing what is wrong.
_REMOTE_SECONDS = 60.0


@dataclass(frozen=True)
class _Said:
    """What arguments or RECOVERY say: the server to tell, and who the unit is if its hardware does not."""

    endpoint: str
    fallback: str


@dataclass(frozen=True, kw_only=True)
class StandstillPorts:
    """``file_sink_at`` makes a log file in a folder."""

    tools: Tools
    recovery: RecoveryPorts
    remote: RemotePorts
    smbios: SmbiosTable
    file_sink_at: Callable[[str], EventSink]


class Standstill:
    """RECOVERY is opened for a moment only: nobody knows how long the unit will stand still."""

    def __init__(
        self,
        ports: StandstillPorts,
        *,
        bus: EventBus,
        branding: Branding,
        platforms: tuple[Platform, ...],
        places: Places,
        arguments: BootArguments,
    ) -> None:
        self._ports = ports.recovery
        self._tools = ports.tools
        self._remote = ports.remote
        self._smbios = ports.smbios
        self._file_sink_at = ports.file_sink_at
        self._platforms = platforms
        self._arguments = arguments
        self._branding = branding
        self._places = places
        self._bus = bus

    def given_up(self, reason: str) -> float:
        """Count and tell it; returns how many seconds to wait before the next start. Never raises."""
        now = self._ports.clock.now_ns()
        pauses: list[float] = []

        def count(budget: BudgetFile) -> None:
            value = budget.value.at(now)
            if budget.record(value.gave_up(now, reason)):
                pauses.append(give_up_pause(value.given_up))

        said = self._with_recovery(count)
        if said.endpoint:
            self._tell_server(said)
        return pauses[0] if pauses else UNCOUNTED_SECONDS

    def reset(self) -> None:
        """A person took over: count from zero."""

        def clear(budget: BudgetFile) -> None:
            if budget.value != StartBudget():
                budget.record(StartBudget())

        self._with_recovery(clear)

    def _with_recovery(self, use: Callable[[BudgetFile], None]) -> _Said:
        folder = f"{self._places.recovery}/{self._branding.log_folder}"
        said = _Said(self._arguments.xlog, self._arguments.proto_ident)
        try:
            rule = known_rule(self._smbios, self._platforms, self._arguments.proto_ident, self._bus)
            with opened_recovery(self._ports, self._branding, self._places, rule, self._bus):
                files = self._ports.files
                said = _Said(
                    said.endpoint or read_options(files, self._places.recovery, self._bus).xlog,
                    said.fallback or stored_fallback(files, self._places.recovery, self._bus),
                )
                use(BudgetFile(files, folder, self._bus))
                self._keep_log(folder)
        except GprovError as error:
            self._bus.warning(f"RECOVERY does not hear of it: {error}")
        return said

    def _keep_log(self, folder: str) -> None:
        prune_logs(self._tools, folder, self._bus)
        sink = QueuedSink(self._file_sink_at(folder), self._remote.background)
        self._bus.attach(sink)
        self._bus.detach(sink)

    def _tell_server(self, said: _Said) -> None:
        try:
            unit = identify_unit(read_smbios(self._smbios, self._bus), self._platforms, said.fallback, self._bus)
        except GprovError as error:
            self._bus.warning(f"no remote log: {error}")
            return
        if not log_to(self._remote, said.endpoint, unit, self._branding, self._bus).wait(_REMOTE_SECONDS):
            self._bus.warning("no remote log: the network is not up yet")
