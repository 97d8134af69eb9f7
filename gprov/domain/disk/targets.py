"""Selects the target disks of a restore. Excluded disks are removed before sizes are compared; an ambiguous result is
an error.

Disks are identified by the device number of the whole disk, never by a part of their name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gprov.domain.disk.model import ActiveMount, Bus, Disk, Volume
from gprov.domain.errors import HardwareMismatch, InternalError, Problem
from gprov.domain.formats.disk.device_number import DeviceNumber


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """``count`` disks of about ``size`` bytes. ``target_tolerance_pct``: of each disk against ``size``.
    ``set_tolerance_pct``: between the smallest and the largest disk of the set, in percent of the largest (md accepts
    1 %)."""

    count: int
    size: int
    set_tolerance_pct: int = 1
    target_tolerance_pct: int = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """One disk of the machine, and why it was selected or rejected."""

    disk: Disk
    selected: bool
    reason: str

    def describe(self) -> str:
        return f"{self.disk.describe()}: {'selected' if self.selected else 'not selected'}, {self.reason}"


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """``chosen``: sorted by disk name; ``report``: one entry for each disk of the machine."""

    chosen: tuple[Disk, ...]
    report: tuple[Candidate, ...]


def disk_using(disks: Iterable[Disk], device: DeviceNumber) -> tuple[Disk, ...]:
    """Return the whole disks that a device uses. ``device``: a disk, a partition, or an array or mapping on them."""
    return tuple(disk for disk in disks if device in disk.devices)


def within_tolerance(size: int, expected: int, tolerance_pct: int) -> bool:
    """Whether ``size`` differs from ``expected`` by at most ``tolerance_pct`` percent of ``expected``. Exact integer
    arithmetic."""
    return abs(size - expected) * 100 <= expected * tolerance_pct


def removable_reason(disk: Disk) -> str:
    """Return why a disk counts as removable, or "" if it is built in."""
    if disk.bus is Bus.USB:
        return "is attached by USB"
    # The kernel reports disks in hot-plug SATA bays as removable too: those are built in, and units boot from them.
    return "is removable" if disk.removable and disk.bus in (Bus.MMC, Bus.UNKNOWN) else ""


def excluded_disks(
    disks: Sequence[Disk],
    mounts: Iterable[ActiveMount],
    recovery: Volume | None,
    booted_from: DeviceNumber | None = None,
) -> Mapping[DeviceNumber, str]:
    """Excluded disks: device number → reason. Removable disks are not excluded, since RECOVERY is made on them;
    ``rejection_reason`` rejects them as targets.

    ``booted_from``: the disk or partition from which the firmware loaded this kernel, if it is known.
    """
    reasons: dict[DeviceNumber, list[str]] = {}
    if recovery is not None:
        reasons.setdefault(recovery.disk.device, []).append("is RECOVERY")
        for disk in disk_using(disks, recovery.device):
            _add(reasons, disk, "is RECOVERY")
    if booted_from is not None:
        for disk in disk_using(disks, booted_from):
            _add(reasons, disk, "this boot came from it")
    for mount in mounts:
        for disk in disk_using(disks, mount.device):
            _add(reasons, disk, f"has a file system mounted at {mount.target}")
    for disk in disks:
        if disk.read_only:
            _add(reasons, disk, "is read-only")
    return {device: "; ".join(texts) for device, texts in reasons.items()}


def choose_targets(disks: Sequence[Disk], excluded: Mapping[DeviceNumber, str], spec: TargetSpec) -> TargetChoice:
    """Return the only set of disks that meets the specification. Raises HardwareMismatch, with the report as
    differences, if there is no such set or more than one."""
    if spec.count < 1 or spec.size < 1:
        raise InternalError(f"target disks: the specification requests {spec.count} disks of {spec.size} bytes")
    reasons_by_device = {disk.device: rejection_reason(disk, excluded, spec) for disk in disks}
    fitting = sorted(
        (disk for disk in disks if not reasons_by_device[disk.device]), key=lambda disk: (disk.size, disk.device)
    )
    sets = _sets(fitting, spec)
    chosen = sets[0] if len(sets) == 1 and len(sets[0]) == spec.count else ()
    report = tuple(
        _candidate(disk, reasons_by_device[disk.device], disk in chosen, bool(chosen), spec) for disk in disks
    )
    if not chosen:
        raise HardwareMismatch(_selection_error(fitting, sets, spec), [Problem("", line.describe()) for line in report])
    return TargetChoice(tuple(sorted(chosen, key=lambda disk: disk.name)), report)


def rejection_reason(disk: Disk, excluded: Mapping[DeviceNumber, str], spec: TargetSpec) -> str:
    """Return why a disk cannot be a target, independent of the other disks; "" if it can."""
    if disk.device in excluded:
        return f"excluded: {excluded[disk.device]}"
    if disk.read_only:
        return "excluded: is read-only"
    if reason := removable_reason(disk):
        return f"excluded: {reason}"
    if not within_tolerance(disk.size, spec.size, spec.target_tolerance_pct):
        return f"wrong size: {disk.size} bytes, expected {spec.size} ± {spec.target_tolerance_pct} %"
    return ""


def _sets(fitting: Sequence[Disk], spec: TargetSpec) -> list[tuple[Disk, ...]]:
    """Maximal runs, in order of size, of at least ``count`` disks that agree within the set tolerance.

    Only a single run of exactly ``count`` disks is unambiguous.
    """
    runs: list[tuple[Disk, ...]] = []
    reached = 0
    for first in range(len(fitting)):
        end = first
        while end < len(fitting) and within_tolerance(fitting[first].size, fitting[end].size, spec.set_tolerance_pct):
            end += 1
        if end > reached and end - first >= spec.count:
            runs.append(tuple(fitting[first:end]))
        reached = max(reached, end)
    return runs


def _candidate(disk: Disk, rejection: str, selected: bool, found: bool, spec: TargetSpec) -> Candidate:
    if rejection:
        return Candidate(disk, False, rejection)
    if selected:
        return Candidate(disk, True, "fits")
    if found:
        return Candidate(disk, False, "its size differs too much from the set")
    return Candidate(disk, False, f"it fits, but there is no unambiguous set of {spec.count}")


def _selection_error(fitting: Sequence[Disk], sets: Sequence[tuple[Disk, ...]], spec: TargetSpec) -> str:
    requirement = f"{spec.count} target disk{'s' if spec.count > 1 else ''} of {spec.size} bytes"
    nodes = ", ".join(disk.node for disk in fitting)
    if len(fitting) < spec.count:
        return f"{requirement} required, {len(fitting)} found{': ' + nodes if nodes else ''}"
    if not sets:
        return f"{requirement} required, but none agree within {spec.set_tolerance_pct} % of each other: {nodes}"
    return f"{requirement} required, but there is more than one choice: {nodes}"


def _add(reasons: dict[DeviceNumber, list[str]], disk: Disk, reason: str) -> None:
    texts = reasons.setdefault(disk.device, [])
    if reason not in texts:
        texts.append(reason)
