"""Emergency files during a restore: mounting the volumes that they are on, and the record of files that were used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.volumes import volumes_of
from gprov.domain.disk.model import Bus, Volume
from gprov.domain.emergency.media import IMAGE_MIN, MEDIA_MOUNTS, START_BYTES, EmergencyFile, MediaFile, file_mark
from gprov.domain.emergency.request import RECORD_BYTES, EmergencyRequest, parse_record, serialise_record
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, IntegrityFault, RefusedByPolicy
from gprov.domain.files import FileType
from gprov.domain.recovery_files import EMERGENCY_RECORD
from gprov.domain.unit.restore_options import RestoreOptions, parse_options
from gprov.ports.files import Files


class EmergencyMedia:
    """The volumes of emergency files, one mounted at a time, read-only and only while a file on it is used."""

    def __init__(self, ports: VolumePorts, context: UnitContext) -> None:
        self._ports = ports
        self._target = context.mount_points.media
        self._bus = context.bus
        self._mounted: Volume | None = None

    def path_of(self, file: EmergencyFile) -> str:
        """Mount the file's volume and return the file's path. Raises DeviceMissing if the volume is gone, DeviceFault
        if it does not mount, IntegrityFault if the file is no longer the one that was found."""
        if self._mounted is None or self._mounted.stable_id != file.volume.stable_id:
            self.release()
            self._mount(file.volume)
        path = f"{self._target}/{file.name}"
        files = self._ports.files
        status = files.status(path)
        if status is None:
            raise IntegrityFault(path, "is not there any more")
        regular = status.type is FileType.FILE
        start = files.read_start(path, START_BYTES) if regular else b""
        found = MediaFile(name=file.name, regular=regular, size=status.size, start=start)
        if not regular or file_mark(file.volume, found) != file.mark:
            raise IntegrityFault(path, "has changed since it was found")
        return path

    def release(self) -> None:
        """Unmount. A failure is reported: nothing was written."""
        if self._mounted is not None:
            self._mounted = None
            try:
                self._ports.mounts.unmount(self._target)
            except DeviceFault as fault:
                self._bus.warning(str(fault))

    def contains(self, subject: str) -> bool:
        """Is this path, the subject of a fault, on the media?"""
        return f"{subject}/".startswith(f"{self._target}/")

    def _mount(self, volume: Volume) -> None:
        """The device file may have another name by now, or name another volume."""
        blocks = self._ports.blocks
        disks = tuple(disk for disk in blocks.disks() if disk.bus is Bus.USB)
        now = [found for found in volumes_of(blocks, disks, self._bus) if found.stable_id == volume.stable_id]
        if not now or now[0].contents != volume.contents:
            raise DeviceMissing(volume.node, "the emergency file's volume was removed")
        how = MEDIA_MOUNTS[volume.contents.kind]
        self._ports.mounts.mount(now[0].node, self._target, how.kind, how.options)
        self._mounted = volume


@contextmanager
def emergency_media(ports: VolumePorts, context: UnitContext) -> Iterator[EmergencyMedia]:
    """What is mounted is unmounted at the end."""
    media = EmergencyMedia(ports, context)
    try:
        yield media
    finally:
        media.release()


def read_emergency_options(
    media: EmergencyMedia, file: EmergencyFile, files: Files, context: UnitContext
) -> RestoreOptions:
    """The restore options on removable media, which replace those on RECOVERY for one restore. Raises BadInput,
    DeviceFault, IntegrityFault."""
    path = media.path_of(file)
    options = parse_options(path, files.read(path, IMAGE_MIN))
    if options.preserve:
        context.bus.warning(f"{file.name}: Preserve has no effect, since the file is on removable media")
    return options


def recorded_marks(files: Files, context: UnitContext) -> frozenset[str]:
    """Marks of the files in RECOVERY's record. A system that is restored without emergency files gets them, so that a
    forgotten stick does not delay each of its starts until the restore refuses it."""
    try:
        return _read_record(files, context)
    except (BadInput, DeviceFault) as error:
        context.bus.warning(f"emergency files that were used before may be announced again: {error}")
        return frozenset()


def refuse_used_files(request: EmergencyRequest, files: Files, context: UnitContext) -> None:
    """PRIMARY has the same record. It is on RECOVERY too, for a system that was replaced, or cannot be mounted. Raises
    RefusedByPolicy if this unit was restored with these files already, and they were not removed then."""
    try:
        used = _read_record(files, context)
    except (BadInput, DeviceFault) as error:
        context.bus.warning(f"whether the emergency files were used before is not known: {error}")
        return
    if used.issuperset(file.mark for file in request.files):
        names = ", ".join(file.name for file in request.files)
        raise RefusedByPolicy(
            f"this unit was restored with {names} before, and the media were not removed then. To restore it with the "
            "same file again, rename the file: one underscore may be added behind the prefix"
        )


def _read_record(files: Files, context: UnitContext) -> frozenset[str]:
    """Empty if there is none. Raises BadInput, DeviceFault."""
    path = f"{context.log_folder}/{EMERGENCY_RECORD}"
    return parse_record(path, files.read(path, RECORD_BYTES)) if files.status(path) is not None else frozenset()


def record_used_files(request: EmergencyRequest, files: Files, context: UnitContext) -> None:
    """A RECOVERY that cannot be written causes a warning: PRIMARY has the record too."""
    try:
        files.replace(f"{context.log_folder}/{EMERGENCY_RECORD}", serialise_record(request.marks))
    except DeviceFault as fault:
        context.bus.warning(f"the use of emergency files is not recorded on RECOVERY: {fault}")
