"""The burn-in of a unit: after its hardware was compared, before anything of provisioning is written."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.mfg.job import ProvisioningJob
from gprov.apps.mfg.ports import MfgPorts
from gprov.apps.mfg.reports import MachineReports
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BurnInAborted, BurnInFailed
from gprov.domain.mfg.burnin.report import BurnInReport, BurnInVerdict, report_text
from gprov.domain.mfg.switches import Switch


def burn_in(job: ProvisioningJob, ports: MfgPorts, bus: EventBus) -> BurnInReport | None:
    """Run the burn-in of the platform and deliver its report to the factory server. None: the factory asks for none, or
    a test switch leaves it out. Raises BurnInFailed, BurnInAborted; before it begins, ToolMissing, HardwareMismatch,
    DeviceFault."""
    unit, code_name = job.unit, job.unit.platform.code_name
    spec = job.data.burn_in_for(code_name)
    if spec is None:
        return None
    if Switch.NO_BURN_IN in job.switches:
        bus.warning("burn-in left out, as asked")
        return None
    if spec.disks and spec.disks.writes and Switch.NO_WIPE_DISKS in job.switches:
        left_out = "the data disks are only read, the write test of the burn-in is left out"
        bus.warning(f"{Switch.NO_WIPE_DISKS.value}: {left_out}")
        spec = replace(spec, disks=replace(spec.disks, writes=False))
    runner = ports.burn_in_runner()
    report = runner.run(runner.plan(spec, job.inspection.inventory, job.facts.targets))
    for check in report.checks:
        bus.log(f"burn-in: {check.describe()}")
    for note in report.notes:
        bus.log(f"burn-in: not measured: {note}")
    MachineReports(job.server.documents, unit.serial, bus).burn_in(report_text(report, unit.serial, code_name))
    match report.verdict:
        case BurnInVerdict.PASSED:
            bus.message(f"Burn-in {report.describe()}")
        case BurnInVerdict.FAILED:
            raise BurnInFailed(report.describe(), [check.describe() for check in report.exceeded])
        case BurnInVerdict.ABORTED:
            raise BurnInAborted(report.describe())
    return report
