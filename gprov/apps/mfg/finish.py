"""The end of provisioning: RECOVERY is found and proven, the factory hears of it, and the unit starts from it."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.mfg.imaging import verify_images, verify_kernel
from gprov.apps.mfg.work import MfgPorts, Work
from gprov.apps.unit.execution.executor import Executor
from gprov.apps.unit.recovery.volume import opened_recovery
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.ext4_room import primary_room
from gprov.domain.disk.recovery import attachment_rule
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.mfg.flags import Switch
from gprov.domain.mfg.qadoc import qa_document
from gprov.domain.mountpoints import Places
from gprov.domain.plan.provision import plan_start
from gprov.domain.unit.nics import ordered


def finish(work: Work, executor: Executor, ports: MfgPorts, branding: Branding, places: Places, bus: EventBus) -> None:
    """Find RECOVERY as every later start will, prove what is on it, and only then make the unit start from it. Raises
    GprovError."""
    tools = ports.tools
    images: tuple[str, ...] = ()
    rule = attachment_rule(work.unit.platform)
    with opened_recovery(ports.recovery, branding, places, rule, bus) as recovery:
        if recovery.volume.disk.device != work.facts.recovery.device:
            raise RefusedByPolicy(f"RECOVERY is found on {recovery.volume.node}, but was made on another disk")
        kernel = verify_kernel(tools, branding, places, bus)
        if Switch.NO_WRITE_FILES not in work.switches:
            bios = tools.firmware.kind() is FirmwareKind.BIOS
            sizes = [disk.size for disk in work.facts.targets]
            room = primary_room(work.unit.platform.raid_level, sizes, bios=bios)
            images = verify_images(work.data, kernel, room, tools, branding, places, bus)
        # Before the unit can start: the server holds it until the first restore succeeded.
        _report(work, images, bus)
        facts = replace(work.facts, recovery=recovery.volume.disk)
        executor.run(plan_start(facts, wipe=Switch.NO_WIPE_DISKS not in work.switches))


def _report(work: Work, images: tuple[str, ...], bus: EventBus) -> None:
    if not work.switches.fit_for_production:
        bus.warning("test switches were set: no QA document, this unit is not fit for production")
        return
    found = work.inspection
    text = qa_document(work.unit, found.inventory, found.disks, ordered(found.nics), images)
    work.factory.document(work.unit.serial, f"QA-{work.unit.serial}.txt", text)
