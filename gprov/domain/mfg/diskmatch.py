"""Do these disks fit the specification? One recovery disk, and one of the alternatives of main disks as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from gprov.domain.disk.model import Disk
from gprov.domain.errors import Problem
from gprov.domain.mfg.spec import DiskSpec, HardwareSpec


def compare_disks(spec: HardwareSpec, disks: Sequence[Disk]) -> Iterator[Problem]:
    """Every difference. Disks that fit the recovery disk's specification are not main disks; all others must be."""
    recovery = recovery_disks(spec.recovery, disks)
    if len(recovery) != spec.recovery.quantity:
        seen = f"{len(recovery)} ({_names(recovery)})" if recovery else f"none among {_names(disks)}"
        yield Problem("Recovery", f"expected {spec.recovery.describe()}, found {seen}")
    rest = [disk for disk in disks if disk not in recovery]
    if spec.main_disks and fitting_alternative(spec.main_disks, rest) is None:
        for index, alternative in enumerate(spec.main_disks):
            wanted = " and ".join(disk.describe() for disk in alternative) or "no disk"
            yield Problem(f"MainDiskConfigs[{index}]", f"expected {wanted}, found {_names(rest)}")


def recovery_disks(spec: DiskSpec, disks: Sequence[Disk]) -> tuple[Disk, ...]:
    """The disks that fit the recovery disk's specification; exactly ``quantity`` of them are right."""
    return tuple(disk for disk in disks if fits(spec, disk))


def fitting_alternative(alternatives: Sequence[Sequence[DiskSpec]], disks: Sequence[Disk]) -> int | None:
    """Index of the first alternative that has a place for every disk and a disk for every place."""
    return next((index for index, specs in enumerate(alternatives) if _assignable(specs, disks)), None)


def fits(spec: DiskSpec, disk: Disk) -> bool:
    """Size exact or within tolerance, and vendor and model if the specification tells them."""
    return (
        abs(disk.size - spec.size) * 100 <= spec.size * spec.tolerance_percent
        and spec.vendor in ("", disk.vendor)
        and spec.model in ("", disk.model)
    )


def _assignable(specs: Sequence[DiskSpec], disks: Sequence[Disk]) -> bool:
    """Specifications may overlap (a wide tolerance beside a narrow one), so a disk that fits one may be needed for
    another: a matching of disks and places by augmenting paths."""
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
