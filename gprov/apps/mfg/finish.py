"""The end of provisioning: RECOVERY is found and verified, the factory gets the QA document, the unit becomes
bootable."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.mfg.imaging import verify_images, verify_kernel
from gprov.apps.mfg.job import ProvisioningJob
from gprov.apps.mfg.ports import MfgPorts
from gprov.apps.mfg.qa import qa_record
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.volume import mounted_recovery
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.ext4_room import primary_room
from gprov.domain.disk.recovery import attachment_rule
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.mfg.qa.document import qa_document
from gprov.domain.mfg.switches import Switch
from gprov.domain.plan.provision import plan_make_bootable


def finish(job: ProvisioningJob, ports: MfgPorts, context: UnitContext) -> None:
    """Find RECOVERY as every later boot does, verify its contents, and only then make the unit bootable. Raises
    GprovError."""
    images: tuple[VerifiedImage, ...] = ()
    unit, facts = job.unit, job.facts
    with mounted_recovery(ports.volumes, attachment_rule(unit.platform), context) as recovery:
        if recovery.volume.disk.device != facts.recovery.device:
            raise RefusedByPolicy(f"RECOVERY is found on {recovery.volume.node}, but was made on another disk")
        kernel = verify_kernel(ports.volumes, context)
        if Switch.NO_WRITE_FILES not in job.switches:
            bios = ports.volumes.firmware().kind() is FirmwareKind.BIOS
            room = primary_room(unit.platform.raid_level, [disk.size for disk in facts.targets], bios=bios)
            images = verify_images(job, kernel, room, ports, context)
        # Before the unit can boot: the server holds the document until the first restore has succeeded.
        if _certifies(job, context.bus):
            record = qa_record(job, images, kernel, ports, context)
            text = qa_document(record, job.template)
            job.server.documents.document(unit.serial, f"{unit.serial}_qav.htm", text)
        found_facts = replace(facts, recovery=recovery.volume.disk)
        ports.executor.run(plan_make_bootable(found_facts, wipe=Switch.NO_WIPE_DISKS not in job.switches))


def _certifies(job: ProvisioningJob, bus: EventBus) -> bool:
    """Whether the unit gets a QA document."""
    if not job.switches.fit_for_production:
        bus.warning("test switches were set: no QA document, this unit is not fit for production")
        return False
    if job.unit.by_fallback:
        bus.warning("identified by fallback: no QA document")
        return False
    return True
