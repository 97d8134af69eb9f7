"""Which disks a restore may overwrite. Exclusion comes first, sizes second, and doubt means no.

A disk is known by the device number of the whole disk, never by a piece of its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gprov.domain.disk.model import ActiveMount, Bus, Disk, Volume
from gprov.domain.errors import HardwareMismatch, InternalError, Problem
from gprov.domain.formats.disk.device_number import DeviceNumber


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """``count`` disks of about ``size`` bytes. Tolerances in percent: of each disk against ``size``, and between
    the smallest and the largest of the set, of the latter (1 % is what a RAID puts up with)."""

    count: int
    size: int
    set_tolerance_pct: int = 1
    target_tolerance_pct: int = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """One disk of the machine and why it was taken or not."""

    disk: Disk
    selected: bool
    reason: str

    def describe(self) -> str:
        return f"{self.disk.describe()}: {'taken' if self.selected else 'not taken'}, {self.reason}"


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """``chosen`` by name of the disks; ``report`` covers every disk of the machine."""

    chosen: tuple[Disk, ...]
    report: tuple[Candidate, ...]


def disk_using(disks: Iterable[Disk], device: DeviceNumber) -> tuple[Disk, ...]:
    """The whole disks behind a device: a disk, one of its partitions, or an array or mapping built on them."""
    return tuple(disk for disk in disks if device in disk.devices)


def within_tolerance(size: int, wanted: int, tolerance_pct: int) -> bool:
    """Does ``size`` differ from ``wanted`` by at most so many percent of ``wanted``? (Exact: no floats.)"""
    return abs(size - wanted) * 100 <= wanted * tolerance_pct


def removable_reason(disk: Disk) -> str:
    """Why a disk may be anybody's who stood at the unit, whatever its size; empty for one that is built in."""
    if disk.bus is Bus.USB:
        return "is attached by USB"
    # Kernels call disks in hot-plug SATA bays removable too: those are built in, and units start from them.
    return "is removable" if disk.removable and disk.bus in (Bus.MMC, Bus.UNKNOWN) else ""


def excluded_disks(
    disks: Sequence[Disk],
    mounts: Iterable[ActiveMount],
    recovery: Volume | None,
    booted_from: DeviceNumber | None = None,
) -> Mapping[DeviceNumber, str]:
    """Disks that must not be touched, by device number, with the reason. Detachable ones are not among them: RECOVERY
    is made on such disks. That they are no targets, ``unfit`` says.

    ``booted_from``: the disk or partition that the firmware loaded us from, if it is known.
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
    """The one set of disks that fits. Raises HardwareMismatch, with the report as differences, if there is no such
    set or more than one: which of two equal disks holds somebody's data is not ours to guess."""
    if spec.count < 1 or spec.size < 1:
        raise InternalError(f"a specification of target disks asks for {spec.count} disks of {spec.size} bytes")
    verdicts = {disk.device: rejection_reason(disk, excluded, spec) for disk in disks}
    fitting = sorted((disk for disk in disks if not verdicts[disk.device]), key=lambda disk: (disk.size, disk.device))
    sets = _sets(fitting, spec)
    chosen = sets[0] if len(sets) == 1 and len(sets[0]) == spec.count else ()
    report = tuple(_candidate(disk, verdicts[disk.device], disk in chosen, bool(chosen), spec) for disk in disks)
    if not chosen:
        raise HardwareMismatch(_refusal(fitting, sets, spec), [Problem("", line.describe()) for line in report])
    return TargetChoice(tuple(sorted(chosen, key=lambda disk: disk.name)), report)


def rejection_reason(disk: Disk, excluded: Mapping[DeviceNumber, str], spec: TargetSpec) -> str:
    """Why a disk is out, whatever the others are; empty if it fits."""
    if disk.device in excluded:
        return f"excluded: {excluded[disk.device]}"
    if disk.read_only:
        return "excluded: is read-only"
    if outside := removable_reason(disk):
        return f"excluded: {outside}"
    if not within_tolerance(disk.size, spec.size, spec.target_tolerance_pct):
        return f"wrong size: {disk.size} bytes, wanted {spec.size} ± {spec.target_tolerance_pct} %"
    return ""


def _sets(fitting: Sequence[Disk], spec: TargetSpec) -> list[tuple[Disk, ...]]:
    """Every largest run of neighbours in size that agree among themselves and are at least ``count``.

    One run of exactly ``count`` is the only unambiguous answer; a longer run, or a second one, leaves a choice.
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


def _candidate(disk: Disk, unfit: str, taken: bool, found: bool, spec: TargetSpec) -> Candidate:
    if unfit:
        return Candidate(disk, False, unfit)
    if taken:
        return Candidate(disk, True, "fits")
    why = (
        "it differs too much in size from the set" if found else f"it fits, but no set of {spec.count} is beyond doubt"
    )
    return Candidate(disk, False, why)


def _refusal(fitting: Sequence[Disk], sets: Sequence[tuple[Disk, ...]], spec: TargetSpec) -> str:
    wanted = f"{spec.count} target disk{'s' if spec.count > 1 else ''} of {spec.size} bytes"
    nodes = ", ".join(disk.node for disk in fitting)
    if len(fitting) < spec.count:
        return f"{wanted} wanted, {len(fitting)} found{': ' + nodes if nodes else ''}"
    if not sets:
        return f"{wanted} wanted, but none agree within {spec.set_tolerance_pct} % of each other: {nodes}"
    return f"{wanted} wanted, but there is more than one choice: {nodes}"


def _add(reasons: dict[DeviceNumber, list[str]], disk: Disk, reason: str) -> None:
    texts = reasons.setdefault(disk.device, [])
    if reason not in texts:
        texts.append(reason)
