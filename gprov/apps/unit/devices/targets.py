"""Choosing the target disks of a restore: disks that fit the platform and are not excluded."""

from __future__ import annotations

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.excluded_disks import current_excluded_disks
from gprov.apps.unit.devices.settling import SETTLE_SECONDS
from gprov.apps.unit.devices.volumes import RESCAN_SECONDS, volumes_of
from gprov.apps.unit.recovery.volume import RecoveryVolume
from gprov.domain.disk.model import Disk
from gprov.domain.disk.targets import TargetChoice, TargetSpec, choose_targets
from gprov.domain.errors import HardwareMismatch
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.table import Platform
from gprov.ports.clock import Deadline

APPEAR_SECONDS = 60.0


def target_spec(platform: Platform) -> TargetSpec:
    return TargetSpec(
        platform.data_disks,
        platform.disk_size,
        set_tolerance_pct=platform.set_tolerance_pct,
        target_tolerance_pct=platform.target_tolerance_pct,
    )


def choose_targets_for(
    ports: VolumePorts, recovery: RecoveryVolume | None, unit: Unit, context: UnitContext
) -> tuple[Disk, ...]:
    """Wait for the platform's data disks, and until the set of disks is stable. ``recovery``: None if it cannot be
    used: then a disk with one of its labels is no target. Raises HardwareMismatch with every
    candidate and the reason for its choice or exclusion."""
    spec, bus = target_spec(unit.platform), context.bus
    choice = _wait_for_stable_disks(ports, recovery, spec, context)
    for candidate in choice.report:
        taken = "taken" if candidate.selected else "left alone"
        bus.log(f"{candidate.disk.describe()} {taken}: {candidate.reason}, identity {candidate.disk.identity}")
    return choice.chosen


def _wait_for_stable_disks(
    ports: VolumePorts, recovery: RecoveryVolume | None, spec: TargetSpec, context: UnitContext
) -> TargetChoice:
    end = Deadline(ports.clock, APPEAR_SECONDS)
    stable: TargetChoice | None = None
    with ports.blocks.changes() as changes:
        while True:
            selection = _select_targets(ports, recovery, spec, context)
            if isinstance(selection, TargetChoice) and selection == stable:
                return selection
            if end.passed:
                if isinstance(selection, HardwareMismatch):
                    raise selection
                raise HardwareMismatch("the disks do not settle")
            if isinstance(selection, TargetChoice):
                stable = None if changes.wait(SETTLE_SECONDS) else selection
            else:
                stable = None
                changes.wait(min(end.remaining, RESCAN_SECONDS))


def _select_targets(
    ports: VolumePorts, recovery: RecoveryVolume | None, spec: TargetSpec, context: UnitContext
) -> TargetChoice | HardwareMismatch:
    disks = ports.blocks.disks()
    excluded = current_excluded_disks(ports, disks, recovery.volume if recovery is not None else None, context.bus)
    if recovery is None:
        excluded = {**_remains_of_recovery(ports, disks, context), **excluded}
    try:
        return choose_targets(disks, excluded, spec)
    except HardwareMismatch as mismatch:
        return mismatch


def _remains_of_recovery(ports: VolumePorts, disks: tuple[Disk, ...], context: UnitContext) -> dict[DeviceNumber, str]:
    """Disks that RECOVERY may be on, although it cannot be used, by the labels of their partitions and volumes."""
    labels = {context.branding.recovery_label, context.branding.esp_label}
    found = {disk.device for disk in disks for part in disk.partitions if part.label in labels}
    found |= {
        volume.disk.device for volume in volumes_of(ports.blocks, disks, context.bus) if volume.contents.label in labels
    }
    return dict.fromkeys(found, "may be RECOVERY's, which cannot be used now")
