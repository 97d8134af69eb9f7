"""The RECOVERY volume while a flow works on it: find, check, mount, unmount."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.volumes import volumes_of, wait_for
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import KNOWN_KINDS, FileSystemKind, Volume
from gprov.domain.disk.recovery import conversion_hint, why_not_recovery
from gprov.domain.disk.recovery import find_recovery as select_recovery
from gprov.domain.errors import DeviceFault, DeviceMissing, GprovError
from gprov.domain.files import FileType
from gprov.domain.platform.model import ValidateMethod
from gprov.domain.recovery_files import DAMAGED, IMAGE_FOLDER
from gprov.ports.files import Files
from gprov.ports.filesystem import Mounts

# A USB stick behind a slow hub takes some seconds; a dead one must not block the unit for long.
FIND_SECONDS = 60.0
# A second RECOVERY may appear a moment later, and must be noticed.
SECOND_SECONDS = 1.0


@dataclass(frozen=True)
class RecoveryVolume:
    """RECOVERY and the ESP on the same disk. ``esp`` is None on BIOS units."""

    volume: Volume
    esp: Volume | None


def find_recovery(
    ports: VolumePorts, rule: ValidateMethod, context: UnitContext, seconds: float = FIND_SECONDS
) -> RecoveryVolume:
    """Wait for RECOVERY. Raises DeviceMissing after ``seconds``; HardwareMismatch if there are two, or if all that were
    found are attached otherwise than ``rule`` demands."""
    label, bus = context.branding.recovery_label, context.bus
    volumes: list[Volume] = []

    def ready() -> bool:
        volumes[:] = volumes_of(ports.blocks, ports.blocks.disks(), bus)
        return any(volume.contents.label == label and not why_not_recovery(volume, rule) for volume in volumes)

    if wait_for(ports.blocks, ports.clock, seconds, ready):
        with ports.blocks.changes() as changes:
            changes.wait(SECOND_SECONDS)
        ready()
    recovery = select_recovery(volumes, label, rule)
    others = [volume for volume in volumes if volume.contents.label == label and volume != recovery]
    for volume in others:
        also = " too" if recovery is not None else ""
        bus.warning(f"{volume.node} is labelled {label}{also}, but {why_not_recovery(volume, rule)}: left alone")
    if recovery is None:
        what = "volume that could be it" if others else "volume"
        how = "check that it is plugged in, into its usual port"
        raise DeviceMissing(label, f"no {what} has this label after {seconds:g} s; {how}{conversion_hint(others)}")
    return RecoveryVolume(recovery, _find_esp(volumes, recovery, context.branding.esp_label))


def _find_esp(volumes: Iterable[Volume], recovery: Volume, label: str) -> Volume | None:
    for volume in volumes:
        contents = volume.contents
        same_disk = volume.disk.device == recovery.disk.device
        if same_disk and contents.kind == FileSystemKind.VFAT.value and contents.label == label:
            return volume
    return None


@contextmanager
def mounted_recovery(
    ports: VolumePorts, rule: ValidateMethod, context: UnitContext, seconds: float = FIND_SECONDS
) -> Iterator[RecoveryVolume]:
    """Mount RECOVERY (after a check, if it does not mount without one) and, after a check, its ESP; unmount both at the
    end. ``seconds``: how long it may take to appear."""
    bus, mount_points = context.bus, context.mount_points
    found = find_recovery(ports, rule, context, seconds)
    recovery, esp = found.volume, found.esp
    bus.log(f"RECOVERY is {recovery.node} on {recovery.disk.describe()}, identity {recovery.disk.identity}")
    mounted: list[str] = []
    try:
        _mount_checked(ports, recovery, mount_points.recovery, bus)
        mounted.append(mount_points.recovery)
        if esp is not None:
            if ports.files.status(mount_points.esp) is None:
                ports.files.make_folder(mount_points.esp)
            # FAT mounts in any state. A power cut while a kernel was replaced can leave a file whose blocks are partly
            # marked free, which made the kernel free blocks of other files or of no file. Hence the check first.
            _repair(ports, esp, FileSystemKind.VFAT, bus)
            _mount_checked(ports, esp, mount_points.esp, bus)
            mounted.append(mount_points.esp)
        try:
            _correct_image_folder(ports.files, mount_points.recovery, bus)
            _correct_log_folder(ports.files, context.log_folder, bus)
        except DeviceFault as fault:
            bus.warning(str(fault))
        yield found
    except BaseException:
        unmount_all(ports.mounts, reversed(mounted), bus)
        raise
    failed = unmount_all(ports.mounts, reversed(mounted), bus)
    if failed is not None:
        raise failed


def unmount_all(mounts: Mounts, targets: Iterable[str], bus: EventBus) -> DeviceFault | None:
    """Unmount as many as possible. Every fault is reported and the first is returned: the caller decides whether it is
    an error, since another error may have come first."""
    first: DeviceFault | None = None
    for target in targets:
        try:
            mounts.unmount(target)
        except DeviceFault as fault:
            bus.warning(str(fault))
            first = first or fault
    return first


def _mount_checked(ports: VolumePorts, volume: Volume, target: str, bus: EventBus) -> None:
    kind = volume.contents.kind
    if kind not in KNOWN_KINDS:
        raise DeviceFault(volume.node, f"cannot mount: file system {kind or 'unknown'}")
    try:
        ports.mounts.mount(volume.node, target, kind, ("relatime",))
    except DeviceFault as fault:
        bus.warning(f"{fault}; checking the file system")
        _repair(ports, volume, FileSystemKind(kind), bus)
        try:
            ports.mounts.mount(volume.node, target, kind, ("relatime",))
        except DeviceFault as again:
            # Worn-out flash memory often becomes read-only. Its images are still good.
            bus.warning(f"{again}; mounting it read-only")
            ports.mounts.mount(volume.node, target, kind, ("ro",))


def _repair(ports: VolumePorts, volume: Volume, kind: FileSystemKind, bus: EventBus) -> None:
    """Check and repair. If the check fails, or finds damage beyond repair, the next mount shows it."""
    try:
        verdict = ports.filesystems().check(volume.node, kind)
    except GprovError as error:
        bus.error(error)
    else:
        bus.log(f"{volume.node}: {verdict.value}")


def _correct_image_folder(files: Files, recovery: str, bus: EventBus) -> None:
    """Restore the exact spelling ``Image``: copying tools of other systems change it."""
    names = files.names(recovery)
    if IMAGE_FOLDER in names:
        return
    for name in names:
        if name.lower() == IMAGE_FOLDER.lower():
            files.rename(f"{recovery}/{name}", f"{recovery}/{IMAGE_FOLDER}")
            bus.log(f"renamed {name} on RECOVERY to {IMAGE_FOLDER}")
            return


def _correct_log_folder(files: Files, folder: str, bus: EventBus) -> None:
    """Make a real folder in the place of a link (or file): on the running system a link may lead out of RECOVERY, and
    logs and records would be written and removed there. What was in its place is kept beside it."""
    status = files.status(folder)
    if status is None or status.type is FileType.FOLDER:
        return
    beside = folder + DAMAGED
    files.remove(beside)
    files.rename(folder, beside)
    files.make_folder(folder)
    bus.warning(
        f"{folder} was no folder ({status.type.value}): renamed to {beside}, and a new folder made. History, counts of "
        "restores and saved network configuration begin anew"
    )
