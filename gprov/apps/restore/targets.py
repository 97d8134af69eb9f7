"""The disk that a restore writes to: chosen by what the platform says, after everything untouchable is excluded."""

from __future__ import annotations

from gprov.apps.events import EventBus
from gprov.apps.recovery import RecoveryPorts, RecoveryVolume
from gprov.apps.volumes import wait_for
from gprov.domain.disk.model import Disk
from gprov.domain.disk.targets import TargetChoice, TargetSpec, choose_targets, excluded_disks
from gprov.domain.errors import HardwareMismatch
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.table import Platform

APPEAR_SECONDS = 60.0


def target_spec(platform: Platform) -> TargetSpec:
    return TargetSpec(
        platform.data_disks,
        platform.disk_size,
        set_tolerance_pct=platform.set_tolerance_pct,
        target_tolerance_pct=platform.target_tolerance_pct,
    )


def choose_target(ports: RecoveryPorts, recovery: RecoveryVolume, unit: Unit, bus: EventBus) -> Disk:
    """Wait for the platform's data disk. Raises HardwareMismatch with every candidate and its reason."""
    spec = target_spec(unit.platform)
    choice: TargetChoice | None = None
    refusal: HardwareMismatch | None = None

    def ready() -> bool:
        nonlocal choice, refusal
        disks = ports.blocks.disks()
        excluded = excluded_disks(disks, ports.mounts.mounted(), recovery.volume)
        try:
            choice = choose_targets(disks, excluded, spec)
        except HardwareMismatch as mismatch:
            refusal = mismatch
            return False
        return True

    if not wait_for(ports.blocks, ports.clock, APPEAR_SECONDS, ready) or choice is None:
        raise refusal or HardwareMismatch("no target disk")
    for candidate in choice.report:
        taken = "taken" if candidate.taken else "left alone"
        bus.log(f"{candidate.disk.describe()} {taken}: {candidate.reason}, identity {candidate.disk.identity}")
    return choice.chosen[0]
