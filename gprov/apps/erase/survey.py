"""Reads everything that an erase is planned from: scope, what the drives report, and the chosen techniques."""

from __future__ import annotations

from gprov.apps.erase.ports import ErasePorts
from gprov.apps.unit.devices.excluded_disks import current_excluded_disks
from gprov.apps.unit.devices.settling import SETTLE_SECONDS
from gprov.apps.unit.devices.targets import APPEAR_SECONDS, target_spec
from gprov.apps.unit.execution.erase.run_protocol import run_protocol
from gprov.apps.unit.recovery.volume import RecoveryVolume
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk
from gprov.domain.erase.choose import choose_techniques
from gprov.domain.erase.drive_report import DriveReport
from gprov.domain.erase.families import report_protocol
from gprov.domain.erase.plan import DiskErasure
from gprov.domain.erase.record import DiskProgress, EraseRecord
from gprov.domain.erase.request import EraseRequest
from gprov.domain.erase.scope import Scope, platform_scope, scope_of_unknown_platform
from gprov.domain.platform.identify import Unit
from gprov.ports.clock import Deadline

# A drive that does not answer within this time is erased by overwriting, or reported as failed.
_REPORT_SECONDS = 120.0
_SEED_BYTES = 16


def find_scope(ports: ErasePorts, recovery: RecoveryVolume, unit: Unit | None, bus: EventBus) -> Scope:
    """Wait until all data disks of the platform were found and the set is stable, at most ``APPEAR_SECONDS``. ``unit``
    None: the platform is unknown."""
    volumes = ports.flow.volumes
    end = Deadline(volumes.clock, APPEAR_SECONDS if unit is not None else SETTLE_SECONDS)
    with volumes.blocks.changes() as changes:
        while True:
            scope = _scope_now(ports, recovery, unit, bus)
            if end.passed:
                return scope
            if not scope.missing and unit is not None and not changes.wait(SETTLE_SECONDS):
                return scope
            changes.wait(min(end.remaining, SETTLE_SECONDS))


def _scope_now(ports: ErasePorts, recovery: RecoveryVolume, unit: Unit | None, bus: EventBus) -> Scope:
    volumes = ports.flow.volumes
    disks = volumes.blocks.disks()
    excluded = current_excluded_disks(volumes, disks, recovery.volume, bus)
    if unit is None:
        return scope_of_unknown_platform(disks, excluded)
    return platform_scope(disks, excluded, target_spec(unit.platform))


def plan_erasures(
    ports: ErasePorts, disks: tuple[Disk, ...], request: EraseRequest, record: EraseRecord | None, bus: EventBus
) -> tuple[DiskErasure, ...]:
    """Ask each drive what it supports, and choose techniques; nothing is changed. ``record``: of an erase that is
    resumed."""
    erasures = []
    for disk in disks:
        report = _report(ports, disk)
        choice = choose_techniques(report, request)
        erasure = DiskErasure(
            disk=disk,
            report=report,
            choice=choice,
            request=request,
            progress=_progress(ports, disk, record),
        )
        for refusal in choice.refusals:
            bus.log(f"{disk.node}: {refusal.technique.value} is not used: {refusal.reason}")
        for line in (*report.notes, *(f"not examined: {area}" for area in report.not_examined)):
            bus.log(f"{disk.node}: {line}")
        bus.log(erasure.describe())
        erasures.append(erasure)
    return tuple(erasures)


def free_drives(ports: ErasePorts, disks: tuple[Disk, ...], bus: EventBus) -> None:
    """Free drives that an interrupted security erase left with gprov's password. Only after the erase is confirmed: on
    a drive with the password of a stranger, each trial counts."""
    for disk in disks:
        if _report(ports, disk).password_set:
            released = ports.runner.release(disk)
            (bus.log if released.free else bus.warning)(f"{disk.node}: {released.detail}")


def _report(ports: ErasePorts, disk: Disk) -> DriveReport:
    clock = ports.flow.volumes.clock
    return run_protocol(report_protocol(disk), ports.queries, disk, clock, Deadline(clock, _REPORT_SECONDS))


def _progress(ports: ErasePorts, disk: Disk, record: EraseRecord | None) -> DiskProgress:
    known = record.progress_of(disk.identity, disk.size) if record is not None else None
    if known is not None:
        return known
    seed = ports.randomness.token(_SEED_BYTES).hex()
    return DiskProgress(identity=disk.identity, size=disk.size, seed=seed)
