"""Provisioning: a blank machine becomes a unit that restores itself."""

from __future__ import annotations

from gprov.apps.mfg.data import fetch_manuf, fetch_platforms
from gprov.apps.mfg.finish import finish
from gprov.apps.mfg.imaging import fetch_files, make_room
from gprov.apps.mfg.inspect import inspect, recovery_disk, target_disks
from gprov.apps.mfg.steps import StepRunner
from gprov.apps.mfg.work import FactoryServer, MfgPorts, Work
from gprov.apps.unit.boot.loader import installable_loader
from gprov.apps.unit.devices.identity import identify_unit, read_smbios
from gprov.apps.unit.execution.executor import Executor
from gprov.apps.unit.network.connect import connect_any
from gprov.apps.unit.recovery.volume import opened_recovery, unmount_all
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.queued import QueuedSink
from gprov.apps.unit.reporting.unexpected import foreseen
from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.kept_arguments import entry_arguments
from gprov.domain.branding import Branding
from gprov.domain.disk.recovery import attachment_rule
from gprov.domain.errors import DeviceFault, GprovError, RefusedByPolicy
from gprov.domain.events import ProcessState
from gprov.domain.formats.smbios.table import SmbiosTable
from gprov.domain.mfg.flags import MfgSwitches, Switch, parse_switches
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mfg.steps import When
from gprov.domain.mountpoints import Places
from gprov.domain.plan.provision import (
    ProvisionFacts,
    plan_finish,
    plan_recovery,
    plan_secrets,
)
from gprov.domain.plan.restorable import refuse_unsupported
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.table import Platform
from gprov.domain.unit.frdata import RestoreOptions
from gprov.domain.unit.nics import ordered
from gprov.ports.factory import TimeSource

# A log that still holds its file open keeps RECOVERY from being unmounted, which would be a failure: better wait long.
_LOG_SECONDS = 300.0


class Provisioning:
    """One provisioning run. Until the hardware was compared, nothing is written anywhere."""

    def __init__(
        self,
        ports: MfgPorts,
        bus: EventBus,
        branding: Branding,
        platforms: tuple[Platform, ...],
        places: Places,
        arguments: BootArguments,
    ) -> None:
        self._ports = ports
        self._bus = bus
        self._branding = branding
        self._platforms = platforms
        self._places = places
        self._arguments = arguments

    def run(self) -> None:
        """When it returns, the unit is ready for its first restore: reboot. Raises GprovError, which was reported."""
        bus = self._bus
        bus.message("Provisioning")
        try:
            with foreseen():
                self._run()
        except GprovError as error:
            bus.error(error)
            bus.state(ProcessState.MFG_FAILED)
            raise
        bus.message("Provisioned")
        bus.state(ProcessState.MFG_SUCCEEDED)

    def _run(self) -> None:
        bus, ports, arguments = self._bus, self._ports, self._arguments
        switches = parse_switches("kernel arguments", arguments.mfg_test)
        if Switch.SKIP_NETWORKING not in switches:
            connect_any(ports.remote.network, ports.tools.clock, self._branding, bus)
        data = fetch_manuf(ports.tools.http, ports.tools.clock, arguments.mfg_url, self._branding, bus)
        server = ports.factory.server(data.log_endpoint)
        table = read_smbios(ports.inspect.smbios, bus)
        external = bool(data.appliance_json_url)
        platforms = (
            fetch_platforms(ports.tools.http, ports.tools.clock, data.appliance_json_url)
            if external
            else self._platforms
        )
        unit = identify_unit(table, platforms, arguments.proto_ident, bus)
        bus.attach(ports.remote.sink_for(server.telemetry, unit.serial))
        bus.state(ProcessState.MFG_STARTED)
        server.telemetry.code_name(unit.serial, unit.platform.code_name)
        if external and Switch.ALLOW_EXTERNAL_JSON not in switches:
            raise RefusedByPolicy("identified with the table of ApplianceJsonUrl: going no further, as asked")
        self._provision(self._examined(unit, table, data, server, switches))

    def _examined(
        self,
        unit: Unit,
        table: SmbiosTable,
        data: ManufData,
        server: FactoryServer,
        switches: MfgSwitches,
    ) -> Work:
        """Compare the hardware with its specification and find the disks; nothing is written."""
        ports, bus, arguments = self._ports, self._bus, self._arguments
        steps = StepRunner(ports.processes, ports.tools, data, unit, self._places, bus)
        steps.run(When.BEFORE_QA)
        inspection = inspect(ports.inspect, unit, table, data, self._branding, bus)
        if Switch.STOP_AFTER_VALIDATE in switches:
            # A refusal, so that nobody takes this unit for a provisioned one.
            raise RefusedByPolicy("the hardware is as specified: going no further, as asked")
        steps.run(When.AFTER_QA)
        refuse_unsupported(unit.platform)
        recovery = recovery_disk(ports.inspect, inspection, unit, self._branding, bus)
        facts = ProvisionFacts(
            self._branding,
            self._places,
            ports.tools.firmware.kind(),
            unit,
            recovery,
            target_disks(ports.inspect, inspection, recovery, unit, bus),
            RestoreOptions(
                # The server holds the QA document until it hears that the first restore succeeded.
                xlog=data.log_endpoint,
                boot_args=arguments.boot_args,
            ),
            entry_arguments("", arguments.boot_args, arguments),
            installable_loader(ports.tools.files, ports.tools.firmware.kind()),
        )
        return Work(unit, data, server, inspection, facts, steps, switches)

    def _provision(self, work: Work) -> None:
        self._set_clock(work.server.time)
        executor = Executor(self._ports.tools, self._bus)
        if Switch.NO_CREATE_RECOVERY in work.switches:
            rule = attachment_rule(work.unit.platform)
            with opened_recovery(self._ports.recovery, self._branding, self._places, rule, self._bus) as recovery:
                make_room(work.data, recovery.images, self._ports.tools, self._branding, self._bus)
                self._fill(work, executor)
        else:
            try:
                executor.run(plan_recovery(work.facts, wipe=Switch.NO_WIPE_DISKS not in work.switches))
                self._fill(work, executor)
            except BaseException:
                self._unmount()
                raise
            failed = self._unmount()
            if failed is not None:
                raise failed
        finish(work, executor, self._ports, self._branding, self._places, self._bus)

    def _set_clock(self, source: TimeSource) -> None:
        """A unit works with a wrong or missing hardware clock; that it has one is for the log."""
        try:
            self._ports.tools.clock.set(source.time_ns())
        except DeviceFault as fault:
            self._bus.warning(str(fault))

    def _fill(self, work: Work, executor: Executor) -> None:
        """Everything that goes onto the mounted RECOVERY."""
        ports = self._ports
        folder = f"{self._places.recovery}/{self._branding.log_folder}"
        log = QueuedSink(ports.file_sink_at(folder), ports.remote.background, seconds=_LOG_SECONDS)
        self._bus.attach(log)
        try:
            work.steps.run(When.BEFORE_IMAGING)
            if Switch.NO_WRITE_FILES not in work.switches:
                fetch_files(executor, work.data, self._ports.tools, self._branding, self._places)
            work.steps.run(When.AFTER_IMAGING)
            work.server.telemetry.macs(
                work.unit.serial, {nic.name: nic.mac for nic in ordered(work.inspection.nics)}, ()
            )
            if Switch.NO_MANUFACTURE not in work.switches:
                self._manufacture(work, executor)
            executor.run(plan_finish(work.facts))
        except GprovError as error:
            # Also into the log on RECOVERY, which is put away before the failure is handled.
            self._bus.log(f"failed: {error}")
            raise
        finally:
            self._bus.detach(log)

    def _manufacture(self, work: Work, executor: Executor) -> None:
        work.steps.run(When.BEFORE_MFG)
        work.steps.stash()
        work.steps.run(When.AFTER_MFG)
        credentials = work.server.credentials.credentials(work.unit.serial, work.data.credential_endpoint)
        work.steps.run(When.BEFORE_PASSWORDS, credentials)
        executor.run(plan_secrets(work.facts, self._ports.hasher.hash(credentials.os)))
        work.steps.run(When.AFTER_PASSWORDS, credentials)

    def _unmount(self) -> DeviceFault | None:
        mounts = self._ports.tools.mounts
        mounted = {point.target for point in mounts.mounted()}
        ours = [target for target in (self._places.esp, self._places.recovery) if target in mounted]
        return unmount_all(mounts, ours, self._bus)
