"""The disks that a restore writes to: chosen by what the platform says, after everything untouchable is excluded."""

from __future__ import annotations

from gprov.apps.unit.devices.excluded import untouchable
from gprov.apps.unit.devices.settling import SETTLE_SECONDS
from gprov.apps.unit.devices.volumes import RESCAN_SECONDS
from gprov.apps.unit.recovery.volume import RecoveryPorts, RecoveryVolume
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


def choose_targets_for(ports: RecoveryPorts, recovery: RecoveryVolume, unit: Unit, bus: EventBus) -> tuple[Disk, ...]:
    """Wait for the platform's data disks, and until the set of disks has settled. Raises HardwareMismatch with every
    candidate and its reason."""
    spec = target_spec(unit.platform)
    choice = _settled(ports, recovery, spec, bus)
    for candidate in choice.report:
        taken = "taken" if candidate.taken else "left alone"
        bus.log(f"{candidate.disk.describe()} {taken}: {candidate.reason}, identity {candidate.disk.identity}")
    return choice.chosen


def _settled(ports: RecoveryPorts, recovery: RecoveryVolume, spec: TargetSpec, bus: EventBus) -> TargetChoice:
    end = Deadline(ports.clock, APPEAR_SECONDS)
    settled: TargetChoice | None = None
    with ports.blocks.changes() as changes:
        while True:
            answer = _choice(ports, recovery, spec, bus)
            if isinstance(answer, TargetChoice) and answer == settled:
                return answer
            if end.passed:
                raise answer if isinstance(answer, HardwareMismatch) else HardwareMismatch("the disks do not settle")
            if isinstance(answer, TargetChoice):
                settled = None if changes.wait(SETTLE_SECONDS) else answer
            else:
                settled = None
                changes.wait(min(end.remaining, RESCAN_SECONDS))


def _choice(
    ports: RecoveryPorts, recovery: RecoveryVolume, spec: TargetSpec, bus: EventBus
) -> TargetChoice | HardwareMismatch:
    disks = ports.blocks.disks()
    excluded = untouchable(disks, ports.mounts, ports.firmware, recovery.volume, bus)
    try:
        return choose_targets(disks, excluded, spec)
    except HardwareMismatch as mismatch:
        return mismatch
