"""Metadata of the host's firmware RAID: read before the erase, kept on RECOVERY meanwhile, put back afterwards."""

from __future__ import annotations

from collections.abc import Callable

from gprov.apps.unit.execution.erase.runner import ErasureRunner
from gprov.apps.unit.recovery.erase_record import remove_raid_metadata
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk
from gprov.domain.erase.raid_metadata_record import MAX_BYTES, KeptMetadata, parse_kept, serialise_kept
from gprov.domain.erase.report import OptionResult, OptionStatus
from gprov.domain.erase.request import EraseRequest
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.model import FakeraidType
from gprov.domain.recovery_files import ERASE_RAID_FILE
from gprov.ports.files import Files

OPTION = "firmware RAID metadata"


class RaidMetadataKeeper:
    """``folder``: the log folder on RECOVERY."""

    def __init__(self, runner: ErasureRunner, files: Files, folder: str, bus: EventBus) -> None:
        self._runner = runner
        self._files = files
        self._folder = folder
        self._path = f"{folder}/{ERASE_RAID_FILE}"
        self._bus = bus

    def begin(self, disks: tuple[Disk, ...], kind: FakeraidType | None, *, after_failure: bool) -> None:
        """Before the first change of a new erase. ``kind``: None to keep none. What a power cut before the record was
        written has left is out of date, and removed. ``after_failure``: what a failed erase has kept is not: the disks
        may have lost it by now. Raises DeviceFault if RECOVERY does not allow it: nothing was changed then."""
        if after_failure and kind is not None and self._files.status(self._path) is not None:
            return
        remove_raid_metadata(self._files, self._folder)
        if kind is not None:
            self._save(disks, kind)

    def _save(self, disks: tuple[Disk, ...], kind: FakeraidType) -> None:
        kept = []
        for disk in disks:
            saved = self._runner.save_metadata(disk, kind)
            kept.append(
                KeptMetadata(
                    identity=disk.identity, size=disk.size, kind=kind, found=saved.found, problem=saved.problem
                )
            )
            state = saved.problem or f"{sum(one.extent.size for one in saved.found.ranges)} bytes kept"
            self._bus.log(f"{disk.node}: {kind.value} metadata: {state}")
        self._files.replace(self._path, serialise_kept(tuple(kept)), mode=0o600)

    def put_back(self, disks: tuple[Disk, ...], begins: Callable[[], None]) -> tuple[OptionResult, ...]:
        """After the erase. ``begins`` is called before anything is written.
        Returns the result for the report; the file is removed if all was put back."""
        try:
            if self._files.status(self._path) is None:
                return (OptionResult(OPTION, OptionStatus.NOT_REQUESTED, ""),)
            kept = parse_kept(self._path, self._files.read(self._path, MAX_BYTES))
        except (BadInput, DeviceFault) as error:
            self._bus.error(error)
            return (OptionResult(OPTION, OptionStatus.FAILED, str(error)),)
        begins()
        results = tuple(self._put_back(disk, kept) for disk in disks)
        if all(result.status is not OptionStatus.FAILED for result in results):
            self._files.remove(self._path)
        return results

    def _put_back(self, disk: Disk, kept: tuple[KeptMetadata, ...]) -> OptionResult:
        own = [one for one in kept if (one.identity, one.size) == (disk.identity, disk.size)]
        if len(own) != 1:
            return OptionResult(OPTION, OptionStatus.FAILED, f"{disk.node}: nothing was kept for this disk")
        [one] = own
        if one.problem:
            return OptionResult(OPTION, OptionStatus.FAILED, f"{disk.node}: {one.problem}")
        if not one.found.ranges:
            return OptionResult(OPTION, OptionStatus.NOT_PRESENT, f"{disk.node}: {'; '.join(one.found.notes)}")
        result = self._runner.put_back_metadata(disk, one.kind, one.found)
        status = OptionStatus.KEPT if result.complete else OptionStatus.FAILED
        self._bus.log(f"{disk.node}: {result.note}")
        return OptionResult(OPTION, status, f"{disk.node}: {result.note}")


def kept_kind(request: EraseRequest, unit: Unit | None) -> FakeraidType | None:
    """The kind of metadata to keep: that of the platform, unless the request says no. None: none."""
    kind = unit.platform.fakeraid_type if unit is not None else None
    return kind if request.keep_raid_metadata is not False else None
