"""The RECOVERY volume while a flow works on it: found, checked, mounted, and put away again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gprov.apps.unit.devices.volumes import volumes_of, wait_for
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.branding import Branding
from gprov.domain.disk.model import FileSystemKind, Volume
from gprov.domain.disk.recovery import attachment_problem
from gprov.domain.disk.recovery import find_recovery as the_recovery
from gprov.domain.errors import DeviceFault, DeviceMissing, GprovError
from gprov.domain.mountpoints import Places
from gprov.domain.platform.model import ValidateMethod
from gprov.ports.block import BlockDevices
from gprov.ports.clock import Clock
from gprov.ports.files import Files
from gprov.ports.filesystem import FileSystems, Mounts
from gprov.ports.firmware import Firmware

# A USB stick behind a slow hub takes some seconds; a dead one must not hold the unit for ever.
FIND_SECONDS = 60.0
SETTLE_SECONDS = 1.0
IMAGE_FOLDER = "Image"


@dataclass(frozen=True)
class RecoveryVolume:
    """``esp`` is None on units that start from BIOS."""

    volume: Volume
    esp: Volume | None
    places: Places

    @property
    def images(self) -> str:
        return f"{self.places.recovery}/{IMAGE_FOLDER}"


@dataclass(frozen=True, kw_only=True)
class RecoveryPorts:
    blocks: BlockDevices
    filesystems: FileSystems
    mounts: Mounts
    files: Files
    clock: Clock
    firmware: Firmware


def find_recovery(
    ports: RecoveryPorts,
    branding: Branding,
    rule: ValidateMethod,
    bus: EventBus,
    seconds: float = FIND_SECONDS,
) -> tuple[Volume, Volume | None]:
    """RECOVERY and the ESP beside it. Raises DeviceMissing after a deadline; HardwareMismatch if there are two, or if
    none came that is attached as ``rule`` says."""
    label = branding.recovery_label
    everything: list[Volume] = []

    def ready() -> bool:
        everything[:] = volumes_of(ports.blocks, ports.blocks.disks(), bus)
        return any(
            volume.contents.label == label and not attachment_problem(volume.disk, rule) for volume in everything
        )

    if wait_for(ports.blocks, ports.clock, seconds, ready):
        with ports.blocks.changes() as changes:
            # A second one may be a moment slower: it must not be the first that counts.
            changes.wait(SETTLE_SECONDS)
        ready()
    recovery = the_recovery(everything, label, rule)
    if recovery is None:
        raise DeviceMissing(label, f"no volume has this label after {seconds:g} s")
    for volume in everything:
        if volume.contents.label == label and volume != recovery:
            bus.warning(
                f"{volume.node} is labelled {label} too, but {attachment_problem(volume.disk, rule)}: left alone"
            )
    esp = next(
        (
            volume
            for volume in everything
            if volume.disk.device == recovery.disk.device
            and volume.contents.kind == FileSystemKind.VFAT.value
            and volume.contents.label == branding.esp_label
        ),
        None,
    )
    return recovery, esp


@contextmanager
def opened_recovery(
    ports: RecoveryPorts, branding: Branding, places: Places, rule: ValidateMethod, bus: EventBus
) -> Iterator[RecoveryVolume]:
    """Mount RECOVERY (after a check, if it does not mount as it is) and, checked, its ESP; unmount both in the end."""
    recovery, esp = find_recovery(ports, branding, rule, bus)
    bus.log(f"RECOVERY is {recovery.node} on {recovery.disk.describe()}, identity {recovery.disk.identity}")
    mounted: list[str] = []
    try:
        _mount_checked(ports, recovery, places.recovery, bus)
        mounted.append(places.recovery)
        if esp is not None:
            if ports.files.status(places.esp) is None:
                ports.files.make_folder(places.esp)
            # FAT mounts whatever state it is in. A cut while a kernel was replaced leaves a file whose blocks are free
            # in part, which made the kernel free those of other files, or blocks that belong to no file.
            _repair(ports, esp, FileSystemKind.VFAT, bus)
            _mount_checked(ports, esp, places.esp, bus)
            mounted.append(places.esp)
        try:
            _correct_image_folder(ports.files, places.recovery, bus)
        except DeviceFault as fault:
            bus.warning(str(fault))
        yield RecoveryVolume(recovery, esp, places)
    except BaseException:
        unmount_all(ports.mounts, reversed(mounted), bus)
        raise
    failed = unmount_all(ports.mounts, reversed(mounted), bus)
    if failed is not None:
        raise failed


def unmount_all(mounts: Mounts, targets: Iterable[str], bus: EventBus) -> DeviceFault | None:
    """Unmount as many as can be. Every fault is reported and the first returned: whether it counts depends on what else
    went wrong."""
    first: DeviceFault | None = None
    for target in targets:
        try:
            mounts.unmount(target)
        except DeviceFault as fault:
            bus.warning(str(fault))
            first = first or fault
    return first


def _mount_checked(ports: RecoveryPorts, volume: Volume, target: str, bus: EventBus) -> None:
    kind = volume.contents.kind
    if kind not in [known.value for known in FileSystemKind]:
        raise DeviceFault(volume.node, f"cannot mount: file system {kind or 'unknown'}")
    try:
        ports.mounts.mount(volume.node, target, kind, ("relatime",))
    except DeviceFault as fault:
        bus.warning(f"{fault}; checking the file system")
        _repair(ports, volume, FileSystemKind(kind), bus)
        try:
            ports.mounts.mount(volume.node, target, kind, ("relatime",))
        except DeviceFault as again:
            # Worn-out flash often ends as read-only: its images are still good.
            bus.warning(f"{again}; mounting it read-only")
            ports.mounts.mount(volume.node, target, kind, ("ro",))


def _repair(ports: RecoveryPorts, volume: Volume, kind: FileSystemKind, bus: EventBus) -> None:
    """A check that finds nothing to save, or cannot run, leaves the verdict to the next mount."""
    try:
        verdict = ports.filesystems.check(volume.node, kind)
    except GprovError as error:
        bus.error(error)
    else:
        bus.log(f"{volume.node}: {verdict.value}")


def _correct_image_folder(files: Files, recovery: str, bus: EventBus) -> None:
    """``Image`` is spelled exactly so; copying tools of other systems change that."""
    names = files.names(recovery)
    if IMAGE_FOLDER in names:
        return
    for name in names:
        if name.lower() == IMAGE_FOLDER.lower():
            files.rename(f"{recovery}/{name}", f"{recovery}/{IMAGE_FOLDER}")
            bus.log(f"renamed {name} on RECOVERY to {IMAGE_FOLDER}")
            return
