"""What the record of an erase means for the next start: whether it may go on, and whether a root can come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gprov.domain.disk.model import Disk
from gprov.domain.erase.record import DiskProgress, EraseRecord, RecordState


def resume_problem(record: EraseRecord, serial: str, disks: Sequence[Disk]) -> str:
    """Why it may not, "" if it may. ``serial``: of this unit, "" if it is not known; ``disks``: its data disks.

    RECOVERY may have been moved to another unit, and disks may have been exchanged: what a person confirmed were the
    disks of the record, and as many others as were missing then."""
    if record.serial != serial:
        return f"it was begun on unit {_shown(record.serial)}, and this is unit {_shown(serial)}"
    strangers = [disk for disk in disks if record.progress_of(disk.identity, disk.size) is None]
    if len(strangers) == len(disks):
        return "none of the disks that were to be erased is present"
    if len(strangers) > record.missing:
        found = "; ".join(disk.describe() for disk in strangers)
        return f"these disks were not among those that were to be erased: {found}"
    return ""


def leaves_no_root(record: EraseRecord, serial: str, disks: Sequence[Disk]) -> bool:
    """Whether this unit's erase cleared all of ``disks``, its data disks that are present: no root volume can come from
    them. An erase that must go on waits for the disks of its record; after a failed one, disks may be lost for good."""
    if not record.cleared or record.serial != serial:
        return False
    if any(record.progress_of(disk.identity, disk.size) is None for disk in disks):
        return False
    return record.state is RecordState.FAILED or not absent_disks(record, disks)


def absent_disks(record: EraseRecord, disks: Sequence[Disk]) -> int:
    """How many disks of the record are not among ``disks``."""
    present = {(disk.identity, disk.size) for disk in disks}
    return sum((one.identity, one.size) not in present for one in record.disks)


def resumed_record(record: EraseRecord, disks: Sequence[DiskProgress]) -> EraseRecord:
    """The record of the erase that goes on with these disks. A disk that is absent now stays in it, and one that was
    missing takes a place of those that were."""
    present = {(one.identity, one.size) for one in disks}
    known = {(one.identity, one.size) for one in record.disks}
    absent = [one for one in record.disks if (one.identity, one.size) not in present]
    missing = max(0, record.missing - len(present - known))
    return replace(record, missing=missing, disks=(*disks, *absent))


def _shown(serial: str) -> str:
    return serial or "(unknown)"
