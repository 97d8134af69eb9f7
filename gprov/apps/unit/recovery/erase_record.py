"""The record of an erase on the mounted RECOVERY."""

from __future__ import annotations

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk
from gprov.domain.erase.record import EraseRecord, RecordState, parse_record, serialise_record
from gprov.domain.erase.request import EraseRequest
from gprov.domain.errors import BadInput, DeviceFault, EraseUnfinished
from gprov.domain.recovery_files import ERASE_FILE, ERASE_RAID_FILE
from gprov.ports.block import BlockDevices
from gprov.ports.files import Files

# 256 disks with the digests of 256 blocks each.
_MAX_BYTES = 64 << 20


class EraseRecordFile:
    """``folder``: the log folder on RECOVERY."""

    def __init__(self, files: Files, folder: str, bus: EventBus) -> None:
        self._files = files
        self._path = f"{folder}/{ERASE_FILE}"
        self._bus = bus

    def read(self) -> EraseRecord | None:
        """None if there is none. A damaged one counts as that of a failed erase: the disks may be erased in part, and a
        person has to decide. Raises DeviceFault."""
        if self._files.status(self._path) is None:
            return None
        try:
            return parse_record(self._path, self._files.read(self._path, _MAX_BYTES))
        except BadInput as error:
            summary = f"the record of an unfinished erase is damaged: {error}"
            self._bus.error(summary)
            return EraseRecord(state=RecordState.FAILED, started_ns=0, request=EraseRequest(), summary=summary)

    def write(self, record: EraseRecord) -> None:
        """Replace the file durably. Raises DeviceFault."""
        self._files.replace(self._path, serialise_record(record))

    def remove(self) -> None:
        """Raises DeviceFault."""
        self._files.remove(self._path)


def has_begun(record: EraseRecord, blocks: BlockDevices) -> bool:
    """Whether this erase must go on: it runs, and at least one of its disks is changed, or none is
    present. The record is written before the first change, so that a power cut between the two leaves a system that
    starts and a record that means nothing any more."""
    if record.state is not RecordState.RUNNING or record.cleared:
        return record.state is RecordState.RUNNING
    recorded = {(one.identity, one.size) for one in record.disks}
    present = [disk for disk in blocks.disks() if (disk.identity, disk.size) in recorded]
    return not present or any(_is_changed(disk, blocks) for disk in present)


def _is_changed(disk: Disk, blocks: BlockDevices) -> bool:
    """The largest partition of an installed disk holds the system, or is a member of its array: without one of them,
    or without partitions, dismantling or clearing has begun."""
    if not disk.partitions:
        return True
    largest = max(disk.partitions, key=lambda part: part.size)
    try:
        return blocks.contents(largest.node).blank
    except DeviceFault:
        return True


def refuse_unfinished_erase(volumes: VolumePorts, context: UnitContext, *, by_person: bool) -> None:
    """Raises EraseUnfinished if an erase of this unit was interrupted or has failed. A restore that a person requests
    after a failed erase removes its record: the person has seen the failure."""
    file = EraseRecordFile(volumes.files, context.log_folder, context.bus)
    record = file.read()
    if record is None:
        _drop_raid_metadata(volumes, context)
        return
    if has_begun(record, volumes.blocks):
        raise EraseUnfinished("")
    if record.state is RecordState.FAILED and not by_person:
        raise EraseUnfinished(record.summary or "the reason is not known")
    context.bus.log(f"the record of a data erase is removed: {record.state.value}, {record.summary or 'not begun'}")
    file.remove()
    _drop_raid_metadata(volumes, context)


def _drop_raid_metadata(volumes: VolumePorts, context: UnitContext) -> None:
    """Without a record it belongs to no erase: a power cut before the record was written, or a failed erase, left it.
    A RECOVERY that cannot be written stops no restore."""
    try:
        remove_raid_metadata(volumes.files, context.log_folder)
    except DeviceFault as fault:
        context.bus.warning(f"what an erase left on RECOVERY cannot be removed: {fault}")


def remove_raid_metadata(files: Files, folder: str) -> None:
    """Remove the metadata of firmware RAID that an erase had kept. ``folder``: the log folder on RECOVERY. Raises
    DeviceFault."""
    path = f"{folder}/{ERASE_RAID_FILE}"
    if files.status(path) is not None:
        files.remove(path)
