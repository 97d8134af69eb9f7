"""Choosing the target disks of a restore: disks that fit the platform and are not excluded."""

from __future__ import annotations

from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.excluded_disks import current_excluded_disks
from gprov.apps.unit.devices.settling import SETTLE_SECONDS
from gprov.apps.unit.devices.volumes import RESCAN_SECONDS
from gprov.apps.unit.recovery.volume import RecoveryVolume
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk
from gprov.domain.disk.targets import TargetChoice, TargetSpec, choose_targets
from gprov.domain.errors import HardwareMismatch
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


def choose_targets_for(ports: VolumePorts, recovery: RecoveryVolume, unit: Unit, bus: EventBus) -> tuple[Disk, ...]:
    """Wait for the platform's data disks, and until the set of disks is stable. Raises HardwareMismatch with every
    candidate and the reason for its choice or exclusion."""
    spec = target_spec(unit.platform)
    choice = _wait_for_stable_disks(ports, recovery, spec, bus)
    for candidate in choice.report:
        taken = "taken" if candidate.selected else "left alone"
        bus.log(f"{candidate.disk.describe()} {taken}: {candidate.reason}, identity {candidate.disk.identity}")
    return choice.chosen


def _wait_for_stable_disks(
    ports: VolumePorts, recovery: RecoveryVolume, spec: TargetSpec, bus: EventBus
) -> TargetChoice:
    end = Deadline(ports.clock, APPEAR_SECONDS)
    stable: TargetChoice | None = None
    with ports.blocks.changes() as changes:
        while True:
            selection = _select_targets(ports, recovery, spec, bus)
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
    ports: VolumePorts, recovery: RecoveryVolume, spec: TargetSpec, bus: EventBus
) -> TargetChoice | HardwareMismatch:
    disks = ports.blocks.disks()
    excluded = current_excluded_disks(ports, disks, recovery.volume, bus)
    try:
        return choose_targets(disks, excluded, spec)
    except HardwareMismatch as mismatch:
        return mismatch
