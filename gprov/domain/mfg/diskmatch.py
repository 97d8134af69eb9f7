"""Compares disks with the specification: the recovery disk, and the alternatives for the main disks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from gprov.domain.disk.model import Disk
from gprov.domain.mfg.difference import Difference
from gprov.domain.mfg.spec import DiskSpec, HardwareSpec


def compare_disks(spec: HardwareSpec, disks: Sequence[Disk]) -> Iterator[Difference]:
    """Yield all differences. Disks that match the specification of the recovery disk are not main disks; all others
    are."""
    recovery = recovery_disks(spec.recovery, disks)
    if len(recovery) != spec.recovery.quantity:
        seen = f"{len(recovery)} ({_names(recovery)})" if recovery else f"none among {_names(disks)}"
        yield Difference("Recovery", spec.recovery.describe(), seen)
    rest = [disk for disk in disks if disk not in recovery]
    if spec.main_disks and fitting_alternative(spec.main_disks, rest) is None:
        for index, alternative in enumerate(spec.main_disks):
            wanted = " and ".join(disk.describe() for disk in alternative) or "no disk"
            yield Difference(f"MainDiskConfigs[{index}]", wanted, _names(rest))


def recovery_disks(spec: DiskSpec, disks: Sequence[Disk]) -> tuple[Disk, ...]:
    """Disks that match the specification of the recovery disk. Exactly ``quantity`` are expected."""
    return tuple(disk for disk in disks if fits(spec, disk))


def fitting_alternative(alternatives: Sequence[Sequence[DiskSpec]], disks: Sequence[Disk]) -> int | None:
    """Index of the first alternative to which all disks can be assigned without a remainder; None if there is none."""
    return next((index for index, specs in enumerate(alternatives) if _assignable(specs, disks)), None)


def fits(spec: DiskSpec, disk: Disk) -> bool:
    """Whether the size is within tolerance, and vendor and model match if specified."""
    return (
        abs(disk.size - spec.size) * 100 <= spec.size * spec.tolerance_percent
        and spec.vendor in ("", disk.vendor)
        and spec.model in ("", disk.model)
    )


def _assignable(specs: Sequence[DiskSpec], disks: Sequence[Disk]) -> bool:
    """Bipartite matching by augmenting paths: specifications may overlap (different tolerances), so a greedy assignment
    could fail."""
    if sum(spec.quantity for spec in specs) != len(disks):
        return False
    taken: dict[int, list[int]] = {index: [] for index in range(len(specs))}

    def place(disk: int, tried: set[int]) -> bool:
        for index, spec in enumerate(specs):
            if index in tried or not fits(spec, disks[disk]):
                continue
            tried.add(index)
            here = taken[index]
            if len(here) < spec.quantity:
                here.append(disk)
                return True
            for position, other in enumerate(here):
                if place(other, tried):
                    here[position] = disk
                    return True
        return False

    return all(place(disk, set()) for disk in range(len(disks)))


def _names(disks: Sequence[Disk]) -> str:
    kinds = Counter((disk.size, " ".join(part for part in (disk.vendor, disk.model) if part)) for disk in disks)
    return (
        ", ".join(f"{count} x {size} bytes ({names or 'unnamed'})" for (size, names), count in sorted(kinds.items()))
        or "no disk"
    )
