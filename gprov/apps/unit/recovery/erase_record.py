"""The record of an erase on the mounted RECOVERY."""

from __future__ import annotations

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.erase.record import EraseRecord, RecordState, parse_record, serialise_record
from gprov.domain.errors import BadInput, DeviceFault, EraseUnfinished
from gprov.domain.recovery_files import ERASE_FILE
from gprov.ports.files import Files

_MAX_BYTES = 1 << 20


class EraseRecordFile:
    """``folder``: the log folder on RECOVERY."""

    def __init__(self, files: Files, folder: str, bus: EventBus) -> None:
        self._files = files
        self._path = f"{folder}/{ERASE_FILE}"
        self._bus = bus

    def read(self) -> EraseRecord | None:
        """None if there is none. A damaged one is reported and kept under another name: without it, the erase cannot be
        resumed, and the unit is restored instead."""
        try:
            if self._files.status(self._path) is None:
                return None
            return parse_record(self._path, self._files.read(self._path, _MAX_BYTES))
        except (BadInput, DeviceFault) as error:
            self._bus.error(f"the record of an unfinished erase cannot be used: {error}")
            self._keep_damaged()
            return None

    def write(self, record: EraseRecord) -> None:
        """Replace the file durably. Raises DeviceFault."""
        self._files.replace(self._path, serialise_record(record))

    def remove(self) -> None:
        """Raises DeviceFault."""
        self._files.remove(self._path)

    def _keep_damaged(self) -> None:
        try:
            self._files.remove(f"{self._path}.damaged")
            self._files.rename(self._path, f"{self._path}.damaged")
        except DeviceFault as fault:
            self._bus.warning(str(fault))


def refuse_unfinished_erase(files: Files, context: UnitContext, *, by_person: bool) -> None:
    """Raises EraseUnfinished if an erase of this unit was interrupted or has failed. A restore that a person requests
    after a failed erase removes its record: the person has seen the failure."""
    file = EraseRecordFile(files, context.log_folder, context.bus)
    record = file.read()
    if record is None:
        return
    if record.resumable:
        raise EraseUnfinished("")
    if record.state is RecordState.FAILED and not by_person:
        raise EraseUnfinished(record.summary or "the reason is not known")
    context.bus.log(f"the record of a data erase is removed: {record.state.value}, {record.summary or 'not begun'}")
    file.remove()
