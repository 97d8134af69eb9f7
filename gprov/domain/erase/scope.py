"""Which disks an erase covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gprov.domain.disk.model import Disk
from gprov.domain.disk.targets import TargetSpec, rejection_reason, removable_reason
from gprov.domain.formats.disk.device_number import DeviceNumber


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A disk that is not erased, and why."""

    disk: Disk
    reason: str

    def describe(self) -> str:
        return f"{self.disk.describe()} is not erased: {self.reason}"


@dataclass(frozen=True, slots=True)
class Scope:
    """``missing``: how many of the platform's data disks were not found. They may still hold data."""

    disks: tuple[Disk, ...]
    left_out: tuple[LeftOut, ...]
    missing: int = 0


def platform_scope(disks: Sequence[Disk], excluded: Mapping[DeviceNumber, str], spec: TargetSpec) -> Scope:
    """Every data disk of the platform. Unlike a restore, an erase also covers an incomplete set, and one with more
    disks of the size than the platform has: each of them may hold data of the unit."""
    reasons = {disk.device: rejection_reason(disk, excluded, spec) for disk in disks}
    return _scope(disks, reasons, spec.count)


def scope_of_unknown_platform(disks: Sequence[Disk], excluded: Mapping[DeviceNumber, str]) -> Scope:
    """Every built-in disk that is not excluded. A person must confirm the list."""
    return _scope(disks, {disk.device: _reason_against(disk, excluded) for disk in disks}, 0)


def chosen_scope(disks: Sequence[Disk], excluded: Mapping[DeviceNumber, str], nodes: Sequence[str]) -> Scope:
    """The disks with these device files; removable disks are allowed, since they were named. ``missing``: how many of
    ``nodes`` are excluded or do not exist."""
    reasons = {disk.device: excluded.get(disk.device, "") if disk.node in nodes else "was not chosen" for disk in disks}
    return _scope(disks, reasons, len(set(nodes)))


def _scope(disks: Sequence[Disk], reasons: Mapping[DeviceNumber, str], count: int) -> Scope:
    covered = tuple(disk for disk in disks if not reasons[disk.device])
    left_out = tuple(LeftOut(disk, reasons[disk.device]) for disk in disks if reasons[disk.device])
    return Scope(covered, left_out, max(0, count - len(covered)))


def _reason_against(disk: Disk, excluded: Mapping[DeviceNumber, str]) -> str:
    return excluded.get(disk.device, "") or removable_reason(disk)
