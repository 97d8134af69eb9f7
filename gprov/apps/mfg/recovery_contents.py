"""What provisioning puts onto the mounted RECOVERY: files, stash archives, secrets; the steps between them."""

from __future__ import annotations

from gprov.apps.mfg.bmc import set_bmc_account
from gprov.apps.mfg.imaging import fetch_files
from gprov.apps.mfg.job import ProvisioningJob
from gprov.apps.mfg.ports import MfgPorts
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.stored_password import hash_content
from gprov.apps.unit.recovery.stored_secrets import StoredSecrets
from gprov.apps.unit.reporting.queued_sink import QueuedSink
from gprov.domain.errors import GprovError
from gprov.domain.mfg.steps import StepPoint
from gprov.domain.mfg.switches import Switch
from gprov.domain.plan.provision import plan_restore_options, plan_secret
from gprov.domain.recovery_files import ADMIN_HASH, UNIT_KEY
from gprov.domain.unit.credentials import Credentials
from gprov.domain.unit.nics import sorted_by_mac
from gprov.domain.unit.secret_file import SecretFile
from gprov.domain.unit.unit_key import UnitKey, serialise_key

# A log file that is still open keeps RECOVERY from being unmounted, which would be a failure: hence the long limit.
_LOG_SECONDS = 300.0
_UNTESTED = "set, not tested: the BMC accepts any password in a comparison"


def write_recovery(job: ProvisioningJob, key: UnitKey, ports: MfgPorts, context: UnitContext) -> None:
    """All files on the mounted RECOVERY, and the steps between them. ``key``: of this provisioning. Raises
    GprovError."""
    bus = context.bus
    log = QueuedSink(ports.file_sink_at(context.log_folder), ports.background, seconds=_LOG_SECONDS)
    bus.attach(log)
    try:
        # First: until it is there, a power cut leaves nothing that proves the unit.
        _store(UNIT_KEY, serialise_key(key), job, ports, context)
        job.steps.run(StepPoint.BEFORE_IMAGING)
        if Switch.NO_WRITE_FILES not in job.switches:
            fetch_files(job.data, ports, context)
        job.steps.run(StepPoint.AFTER_IMAGING)
        nics = {nic.name: nic.mac for nic in sorted_by_mac(job.inspection.nics)}
        job.server.telemetry.macs(job.unit.serial, nics, job.bmc.macs if job.bmc else ())
        _manufacture(job, ports, context)
        ports.executor.run(plan_restore_options(job.facts))
    except GprovError as error:
        # Also into the log on RECOVERY, which is closed before the error is handled.
        bus.log(f"failed: {error}")
        raise
    finally:
        bus.detach(log)


def _manufacture(job: ProvisioningJob, ports: MfgPorts, context: UnitContext) -> None:
    job.steps.run(StepPoint.BEFORE_MFG)
    if Switch.NO_MANUFACTURE not in job.switches:
        job.steps.stash()
    job.steps.run(StepPoint.AFTER_MFG)
    credentials = job.server.credentials.credentials(job.unit.serial, job.data.credential_endpoint)
    job.steps.run(StepPoint.BEFORE_PASSWORDS, credentials)
    _set_passwords(job, credentials, ports, context)
    job.steps.run(StepPoint.AFTER_PASSWORDS, credentials)


def _set_passwords(job: ProvisioningJob, credentials: Credentials, ports: MfgPorts, context: UnitContext) -> None:
    """Those of system, BIOS and BMC; what was done with each is for the QA document."""
    stored = _store(ADMIN_HASH, hash_content(ports.hasher.hash(credentials.os)), job, ports, context)
    how = "hash stored on RECOVERY, sealed to the TPM" if stored.sealed else "hash stored on RECOVERY"
    done = job.steps.log
    done.password(f"System ({context.branding.admin})", f"{how}; each restore sets it")
    if tool := job.setup.set_password(credentials):
        done.password("BIOS", f"set by {tool}")
    if job.bmc is not None and Switch.NO_IPMI_PW not in job.switches:
        tested = set_bmc_account(ports, job.bmc, context, credentials.ipmi)
        how = "set, and compared with what the BMC stores" if tested else _UNTESTED
        done.password(f"BMC ({context.branding.bmc_user})", how)


def _store(name: str, content: bytes, job: ProvisioningJob, ports: MfgPorts, context: UnitContext) -> SecretFile:
    secrets = StoredSecrets(ports.volumes, context.mount_points.recovery)
    file = secrets.protected(name, content, context.bus)
    ports.executor.run(plan_secret(job.facts, file))
    return file
