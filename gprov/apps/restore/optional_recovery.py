"""RECOVERY for a restore that can do without it: one from removable media.

Without RECOVERY its mount point is a folder in memory. Records and logs of the restore go there and are gone with the
next start; the plan writes nothing to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.volumes import volumes_of
from gprov.apps.unit.recovery.volume import RecoveryVolume, mounted_recovery, unmount_all
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.model import FileSystemKind, Volume
from gprov.domain.errors import DeviceFault
from gprov.domain.platform.model import ValidateMethod

# A person waits; a RECOVERY behind a slow hub takes some seconds.
_FIND_SECONDS = 20.0


@dataclass(frozen=True)
class RestorePlace:
    """Where a restore finds and leaves things besides PRIMARY. ``recovery``: None if it cannot be used. ``esp``: None
    if there is none."""

    recovery: RecoveryVolume | None
    esp: Volume | None


@contextmanager
def required_recovery(ports: VolumePorts, rule: ValidateMethod, context: UnitContext) -> Iterator[RestorePlace]:
    with mounted_recovery(ports, rule, context) as recovery:
        yield RestorePlace(recovery, recovery.esp)


@contextmanager
def optional_recovery(ports: VolumePorts, rule: ValidateMethod, context: UnitContext) -> Iterator[RestorePlace]:
    """Mount RECOVERY, if there is one that mounts; else the only ESP. Raises HardwareMismatch if there are several
    RECOVERYs, or one that is attached otherwise than ``rule`` demands: a person has to decide which one it is."""
    bus = context.bus
    with ExitStack() as stack:
        try:
            recovery = stack.enter_context(mounted_recovery(ports, rule, context, _FIND_SECONDS))
        except DeviceFault as fault:
            bus.warning(f"restoring without RECOVERY, from removable media alone: {fault}")
            esp = _only_esp(ports, context) if ports.firmware().kind() is FirmwareKind.UEFI else None
            if esp is not None:
                stack.enter_context(_mounted_esp(ports, esp, context))
            place = RestorePlace(None, esp)
        else:
            place = RestorePlace(recovery, recovery.esp)
        yield place


@contextmanager
def _mounted_esp(ports: VolumePorts, esp: Volume, context: UnitContext) -> Iterator[None]:
    target = context.mount_points.esp
    ports.mounts.mount(esp.node, target, esp.contents.kind, ("relatime",))
    try:
        yield
    except BaseException:
        unmount_all(ports.mounts, [target], context.bus)
        raise
    failed = unmount_all(ports.mounts, [target], context.bus)
    if failed is not None:
        raise failed


def _only_esp(ports: VolumePorts, context: UnitContext) -> Volume | None:
    """The ESP that the unit starts from, if exactly one volume can be it. Sticks that a technician plugs in may have
    one too."""
    label, kind = context.branding.esp_label, FileSystemKind.VFAT.value
    volumes = volumes_of(ports.blocks, ports.blocks.disks(), context.bus)
    found = [volume for volume in volumes if (volume.contents.kind, volume.contents.label) == (kind, label)]
    if len(found) == 1 and found[0].partition is not None:
        return found[0]
    nodes = ", ".join(volume.node for volume in found) or "none"
    context.bus.warning(
        f"no {label} to store the boot kernel on (found: {nodes}): the unit starts from its own disks again only after "
        "RECOVERY was replaced and the unit provisioned"
    )
    return None
