"""Provisioning: turns a blank machine into a unit that restores itself."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.mfg.beginning import begin
from gprov.apps.mfg.bmc import read_bmc
from gprov.apps.mfg.burnin import burn_in
from gprov.apps.mfg.data import fetch_manuf, fetch_platforms
from gprov.apps.mfg.finish import finish
from gprov.apps.mfg.firmware_setup import FirmwareSetup, RestartNeeded
from gprov.apps.mfg.imaging import free_space_for_files
from gprov.apps.mfg.inspect import inspect, recovery_disk, target_disks
from gprov.apps.mfg.job import ProvisioningJob
from gprov.apps.mfg.origin import OriginCheck
from gprov.apps.mfg.ports import FactoryServer, MfgPorts
from gprov.apps.mfg.recovery_contents import write_recovery
from gprov.apps.mfg.reports import MachineReports, name_of_unidentified, report_unidentified
from gprov.apps.mfg.steps import StepRunner
from gprov.apps.unit.boot.loader import installable_loader
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.devices.identity import identify_unit, read_smbios
from gprov.apps.unit.network.connect import connect_any
from gprov.apps.unit.network.server_trust import is_of_the_kernel, trust_factory, warn_unencrypted
from gprov.apps.unit.recovery.volume import mounted_recovery, unmount_all
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.boot.args import BootArguments, join_arguments
from gprov.domain.boot.kept_arguments import entry_arguments
from gprov.domain.disk.recovery import attachment_rule
from gprov.domain.errors import DeviceFault, GprovError, RefusedByPolicy
from gprov.domain.events import ProcessState
from gprov.domain.formats.smbios.raw import raw_lines
from gprov.domain.formats.smbios.table import SmbiosTable
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mfg.steps import StepPoint
from gprov.domain.mfg.switches import MfgSwitches, Switch, parse_switches
from gprov.domain.mfg.urls import with_scheme
from gprov.domain.plan.preconditions import check_platform_supported
from gprov.domain.plan.provision import ProvisionFacts, plan_recovery
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.unused import unused_values
from gprov.domain.unit.restore_options import RestoreOptions
from gprov.domain.unit.trust import ServerTrust, is_encrypted
from gprov.domain.unit.unit_key import UnitKey
from gprov.ports.factory import TimeSource


class Provisioning:
    """One provisioning run. Nothing is written before the hardware was compared with its specification."""

    def __init__(self, ports: MfgPorts, context: UnitContext) -> None:
        self._ports = ports
        self._context = context
        self._bus = context.bus
        self._begun = ports.volumes.clock.monotonic()
        self._trust: ServerTrust | None = None

    def run(self) -> None:
        """When it returns, reboot: the unit is ready for its first restore, or settings of its firmware were changed,
        and provisioning begins again after the restart. Raises GprovError, already reported."""
        bus = self._bus
        bus.message("Provisioning")
        try:
            with unexpected_errors_translated():
                self._run()
        except RestartNeeded as restart:
            bus.message(str(restart))
            return
        except GprovError as error:
            bus.error(error)
            bus.state(ProcessState.MFG_FAILED)
            raise
        bus.message("Provisioned")
        bus.state(ProcessState.MFG_SUCCEEDED)

    def _run(self) -> None:
        bus, ports, context = self._bus, self._ports, self._context
        clock = ports.volumes.clock
        switches = parse_switches("kernel arguments", context.arguments.mfg_test)
        if Switch.SKIP_NETWORKING not in switches:
            connect_any(ports.network, clock, context)
        self._trust = trust_factory(ports.trust, context)
        origin = OriginCheck(
            http=ports.http,
            clock=clock,
            trust=ports.image_trust,
            context=context,
            verified=is_of_the_kernel(ports.trust.files, self._trust),
        )
        data = fetch_manuf(ports.http, clock, origin, context, verified=self._trust is not None)
        server = ports.server(data.log_endpoint)
        unit, table = self._identify(data, server, switches)
        self._attach_servers(server, data, unit.serial)
        key = begin(server, data.log_endpoint, unit.serial, ports, context)
        bus.state(ProcessState.MFG_STARTED)
        ports.qa_template()  # an invalid one is an error before anything is done
        for unused in unused_values(unit.platform):
            bus.warning(f"{unit.platform.code_name}: {unused}")
        server.telemetry.code_name(unit.serial, unit.platform.code_name)
        if data.appliance_json_url and Switch.ALLOW_EXTERNAL_JSON not in switches:
            raise RefusedByPolicy("identified with the table of ApplianceJsonUrl: going no further, as asked")
        self._provision(self._inspect_hardware(unit, table, data, server, switches), key)

    def _identify(self, data: ManufData, server: FactoryServer, switches: MfgSwitches) -> tuple[Unit, SmbiosTable]:
        """A machine that cannot be identified is reported to the factory server under a name of its own."""
        bus, ports, context = self._bus, self._ports, self._context
        try:
            table = read_smbios(ports.smbios, bus)
            if Switch.RAW_DMI in switches:
                for line in raw_lines(table):
                    bus.log(line)
            url = data.appliance_json_url
            platforms = fetch_platforms(ports.http, ports.volumes.clock, url) if url else context.platforms
            return identify_unit(table, platforms, context.arguments.proto_ident, bus), table
        except GprovError:
            name = name_of_unidentified(ports, context)
            self._attach_servers(server, data, name)
            bus.message(f"This machine is not identified; it reports to the factory server as {name}")
            report_unidentified(ports, MachineReports(server.documents, name, bus), context)
            raise

    def _attach_servers(self, server: FactoryServer, data: ManufData, serial: str) -> None:
        """All events go to the factory server, and to that of ``PROVISION_XLOG`` if it is another one."""
        self._bus.attach(self._ports.sink_for(server.telemetry, serial))
        other = with_scheme(self._context.arguments.xlog)
        if other and other != data.log_endpoint:
            if self._trust is not None and not is_encrypted(other):
                warn_unencrypted(other, self._bus)
            self._bus.attach(self._ports.sink_for(self._ports.telemetry_at(other), serial))

    def _inspect_hardware(
        self,
        unit: Unit,
        table: SmbiosTable,
        data: ManufData,
        server: FactoryServer,
        switches: MfgSwitches,
    ) -> ProvisioningJob:
        """Compare the hardware with its specification and choose the disks; nothing is written."""
        ports, bus, context = self._ports, self._bus, self._context
        arguments, firmware = context.arguments, ports.volumes.firmware().kind()
        steps = StepRunner(
            ports=ports, data=data, unit=unit, context=context, verbose=Switch.VERBOSE_LOGGING in switches
        )
        setup = FirmwareSetup(ports=ports, data=data, unit=unit, server=server, context=context, switches=switches)
        steps.run(StepPoint.BEFORE_QA)
        # A step may have brought the tools along. The disks are compared as the firmware shows them with AHCI.
        setup.check()
        setup.ensure_ahci()
        reports = MachineReports(server.documents, unit.serial, bus)
        inspection = inspect(ports, unit, table, data, context, reports)
        if Switch.STOP_AFTER_VALIDATE in switches:
            # An error, so that the unit does not count as provisioned.
            raise RefusedByPolicy("the hardware is as specified: going no further, as asked")
        steps.run(StepPoint.AFTER_QA)
        check_platform_supported(unit.platform)
        setup.apply_settings()
        bmc = read_bmc(ports, unit.platform, context, switches)
        boot_args = _boot_arguments(arguments, data)
        recovery = recovery_disk(ports, inspection, unit, context)
        facts = ProvisionFacts(
            branding=context.branding,
            mount_points=context.mount_points,
            firmware=firmware,
            unit=unit,
            recovery=recovery,
            targets=target_disks(ports, inspection, recovery, unit, bus),
            options=RestoreOptions(
                # The server holds the QA document until the unit reports that its first restore has succeeded.
                xlog=data.log_endpoint,
                boot_args=boot_args,
            ),
            extra_arguments=entry_arguments("", boot_args, arguments),
            loader=installable_loader(ports.volumes.files, firmware),
            trust=self._trust,
        )
        return ProvisioningJob(
            unit=unit,
            data=data,
            server=server,
            inspection=inspection,
            bmc=bmc,
            facts=facts,
            steps=steps,
            setup=setup,
            switches=switches,
            smbios=table,
            template=ports.qa_template(),
            begun=self._begun,
        )

    def _provision(self, job: ProvisioningJob, key: UnitKey) -> None:
        """``key``: of this provisioning, for RECOVERY."""
        self._set_clock(job.server.time)
        ports, context = self._ports, self._context
        job = replace(job, burn_in=burn_in(job, ports, self._bus))
        if Switch.NO_CREATE_RECOVERY in job.switches:
            with mounted_recovery(ports.volumes, attachment_rule(job.unit.platform), context):
                free_space_for_files(job.data, ports, context)
                write_recovery(job, key, ports, context)
        else:
            try:
                ports.executor.run(plan_recovery(job.facts, wipe=Switch.NO_WIPE_DISKS not in job.switches))
                write_recovery(job, key, ports, context)
            except BaseException:
                self._unmount()
                raise
            failed = self._unmount()
            if failed is not None:
                raise failed
        finish(job, ports, context)

    def _set_clock(self, source: TimeSource) -> None:
        """A missing hardware clock causes only a warning: a unit works without one. With the right time, the dates of
        certificates count; an expired one is noticed here, before anything is written."""
        ports = self._ports
        try:
            ports.volumes.clock.set(source.time_ns())
        except DeviceFault as fault:
            self._bus.warning(str(fault))
            return
        if self._trust is not None:
            ports.trust.store().use(self._trust, check_dates=True)
            source.time_ns()

    def _unmount(self) -> DeviceFault | None:
        mounts, mount_points = self._ports.volumes.mounts, self._context.mount_points
        mounted = {point.target for point in mounts.mounted()}
        targets = [target for target in (mount_points.esp, mount_points.recovery) if target in mounted]
        return unmount_all(mounts, targets, self._bus)


def _boot_arguments(arguments: BootArguments, data: ManufData) -> str:
    """Further arguments of the unit's boot entries. The first restore logs to the factory server anyway (``XLog`` in
    ``fr.data``); with ``PROVISION_CONT_LOGGING`` all later restores and starts that fail do, too."""
    if not arguments.cont_logging:
        return arguments.boot_args
    return join_arguments(arguments.boot_args, f"{arguments.prefix}XLOG={data.log_endpoint}")
