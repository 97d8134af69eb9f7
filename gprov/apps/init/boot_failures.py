"""What a boot failure leaves behind: a count and a log on RECOVERY, and a report to the factory server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.devices.identity import identify_unit, read_smbios, recovery_attachment_rule, stored_code_name
from gprov.apps.unit.network.remote_log import LogServer, start_remote_log
from gprov.apps.unit.network.server_trust import read_trust
from gprov.apps.unit.recovery.records import read_options
from gprov.apps.unit.recovery.retention import prune_logs
from gprov.apps.unit.recovery.start_budget import StartBudgetFile
from gprov.apps.unit.recovery.stored_secrets import StoredSecrets
from gprov.apps.unit.recovery.unit_key import read_unit_key
from gprov.apps.unit.recovery.volume import mounted_recovery
from gprov.apps.unit.reporting.queued_sink import QueuedSink
from gprov.domain.boot.budget import UNCOUNTED_SECONDS, StartBudget, give_up_pause
from gprov.domain.errors import GprovError

# Limit for network configuration: the error message on the unit's display comes after it.
_REMOTE_SECONDS = 60.0


@dataclass(frozen=True)
class _ReportTarget:
    """From kernel arguments or RECOVERY: the server (URL "" for none) with its trust and the unit's key; code name for
    fallback identification."""

    server: LogServer
    fallback: str


class BootFailureRecorder:
    """RECOVERY is mounted only for a moment: a power cut may end the pause that follows at any time."""

    def __init__(self, ports: FlowPorts, context: UnitContext) -> None:
        self._ports = ports
        self._context = context
        self._bus = context.bus

    def record_failure(self, reason: str) -> float:
        """Count the boot failure and report it. Returns how many seconds to wait before the next boot. Never raises."""
        now = self._ports.volumes.clock.now_ns()
        pauses: list[float] = []

        def count(budget: StartBudgetFile) -> None:
            value = budget.value.at_time(now)
            if budget.record(value.with_boot_failure(now, reason)):
                pauses.append(give_up_pause(value.given_up))

        target = self._with_recovery(count)
        if target.server.endpoint:
            self._report_to_server(target)
        return pauses[0] if pauses else UNCOUNTED_SECONDS

    def reset(self) -> None:
        """Set the count to zero, since a person has taken over."""

        def clear(budget: StartBudgetFile) -> None:
            if budget.value != StartBudget():
                budget.record(StartBudget())

        self._with_recovery(clear)

    def _with_recovery(self, use: Callable[[StartBudgetFile], None]) -> _ReportTarget:
        ports, context = self._ports, self._context
        target = _ReportTarget(LogServer(context.arguments.xlog, None), context.arguments.proto_ident)
        try:
            rule = recovery_attachment_rule(ports.smbios, context)
            with mounted_recovery(ports.volumes, rule, context):
                files = ports.volumes.files
                endpoint = target.server.endpoint or read_options(files, context).xlog
                key = read_unit_key(StoredSecrets(ports.volumes, context.mount_points.recovery), self._bus)
                target = _ReportTarget(
                    LogServer(endpoint, read_trust(files, context), key),
                    target.fallback or stored_code_name(files, context),
                )
                use(StartBudgetFile(files, context.log_folder, self._bus))
                self._save_log()
        except GprovError as error:
            self._bus.warning(f"RECOVERY could not be used to record this boot: {error}")
        return target

    def _save_log(self) -> None:
        prune_logs(self._ports.executor, self._ports.volumes.files, self._context)
        sink = QueuedSink(self._ports.file_sink_at(self._context.log_folder), self._ports.background)
        self._bus.attach(sink)
        self._bus.detach(sink)

    def _report_to_server(self, target: _ReportTarget) -> None:
        try:
            table = read_smbios(self._ports.smbios, self._bus)
            unit = identify_unit(table, self._context.platforms, target.fallback, self._bus)
        except GprovError as error:
            self._bus.warning(f"no remote log: {error}")
            return
        if not start_remote_log(self._ports, target.server, unit, self._context).wait(_REMOTE_SECONDS):
            self._bus.warning("no remote log: the network is not up yet")
