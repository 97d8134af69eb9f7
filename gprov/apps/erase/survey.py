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
from gprov.domain.erase.resume import absent_disks
from gprov.domain.erase.scope import Scope, platform_scope, scope_of_unknown_platform
from gprov.domain.errors import DeviceFault
from gprov.domain.platform.identify import Unit
from gprov.ports.clock import Deadline
from gprov.ports.drives import BusyDrive

# A drive that does not answer within this time is erased by overwriting, or reported as failed.
_REPORT_SECONDS = 120.0
_SEED_BYTES = 16
# The largest drives state up to two days for a sanitize operation.
_BUSY_SECONDS = 7 * 86400.0
_BUSY_PAUSE = 60.0


def find_scope(
    ports: ErasePorts, recovery: RecoveryVolume, unit: Unit | None, record: EraseRecord | None, bus: EventBus
) -> Scope:
    """Wait until all data disks of the platform and of the record were found and the set is stable, at most
    ``APPEAR_SECONDS``; longer for a disk of the record that may be erasing itself. ``unit`` None: the platform is
    unknown; ``record``: of an erase that is resumed."""
    volumes = ports.flow.volumes
    known = unit is not None or record is not None
    end = Deadline(volumes.clock, APPEAR_SECONDS if known else SETTLE_SECONDS)
    busy_end = Deadline(volumes.clock, _BUSY_SECONDS)
    with volumes.blocks.changes() as changes:
        while True:
            scope = _scope_now(ports, recovery, unit, bus)
            absent = absent_disks(record, scope.disks) if record is not None else 0
            if absent and not busy_end.passed and _wait_for_busy(ports, bus):
                # It appears when it is done; the others had their time by then.
                end = Deadline(volumes.clock, APPEAR_SECONDS)
                continue
            if end.passed:
                return scope
            if known and not (scope.missing or absent) and not changes.wait(SETTLE_SECONDS):
                return scope
            changes.wait(min(end.remaining, SETTLE_SECONDS))


def _wait_for_busy(ports: ErasePorts, bus: EventBus) -> bool:
    """Wait for some time, if there are drives that have no capacity now since they erase themselves."""
    busy = _busy(ports, bus)
    for drive in busy:
        done = f", {drive.done:.0%}" if drive.done is not None else ""
        bus.message(f"{drive.name} erases itself since before this start{done}")
    if busy:
        ports.flow.volumes.clock.sleep(_BUSY_PAUSE)
    return bool(busy)


def warn_of_busy_drives(ports: ErasePorts, bus: EventBus) -> None:
    """A drive that erases itself already, and of which no record says that gprov began it, is not covered."""
    for drive in _busy(ports, bus):
        bus.warning(f"{drive.name} erases itself already and is not covered by this erase: wait, and repeat the erase")


def _busy(ports: ErasePorts, bus: EventBus) -> tuple[BusyDrive, ...]:
    try:
        return ports.unready.sanitizing()
    except DeviceFault as fault:
        bus.warning(f"drives that erase themselves: {fault}")
        return ()


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
