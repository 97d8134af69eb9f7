"""The system that a restore replaces: which image it was installed from, and the results of its boot attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gprov.apps.unit.boot.boot_attempts import has_boot_confirmation, read_counts
from gprov.apps.unit.boot.installed_image import installed_image
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.arrays import array_volumes
from gprov.apps.unit.devices.volumes import volumes_of
from gprov.apps.unit.recovery.records import HistoryFile
from gprov.apps.unit.recovery.start_budget import StartBudgetFile
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.boot_counts import BootCounts
from gprov.domain.boot.budget import RESTORES_WITHOUT_PAUSE
from gprov.domain.disk.model import Disk, FileSystemKind, Volume
from gprov.domain.errors import GprovError

_MOUNT_OPTIONS = {
    FileSystemKind.EXT2.value: ("ro",),
    # Without a journal replay, which would write to PRIMARY before an image was verified.
    FileSystemKind.EXT3.value: ("ro", "noload"),
    FileSystemKind.EXT4.value: ("ro", "noload"),
}


@dataclass(frozen=True)
class InstalledSystem:
    """``image``: its name in the image history. ``reports``: does it contain the service that confirms boots?"""

    image: str
    counts: BootCounts
    reports: bool

    @property
    def ran(self) -> bool:
        """Did it run since it was restored? For a system that does not confirm boots, a boot attempt counts."""
        return bool(self.counts.confirmed if self.reports else self.counts.started)

    @property
    def confirmed(self) -> bool:
        """Has it reported that it was up?"""
        return self.reports and self.counts.confirmed > 0

    @property
    def boot_record_key(self) -> str:
        """Text that identifies these counts, to add them to the history only once (``CountedBoots`` of
        ``start_budget.json``)."""
        return f"{self.image} {self.counts.started} {self.counts.confirmed_at} {self.counts.confirmed}"


def record_previous_system(
    targets: Sequence[Disk],
    ports: VolumePorts,
    history: HistoryFile,
    budget: StartBudgetFile,
    context: UnitContext,
) -> InstalledSystem | None:
    """Record whether the installed system ran since its restore, and the results of its boot attempts, before it is
    overwritten; return it. Skipped after several consecutive restores: if reading it crashed them, the next one gets
    further. None also if there is no system that can be read."""
    value = budget.value
    if value.restores > RESTORES_WITHOUT_PAUSE:
        return None
    system = find_installed_system(targets, ports, context)
    if system is None:
        return None
    counts = system.counts
    if counts.started and system.boot_record_key != value.recorded_boots:  # else an earlier restore recorded it
        value = replace(value.with_new_restore_series() if system.ran else value, recorded_boots=system.boot_record_key)
        unconfirmed = counts.unconfirmed if system.reports else 0
        context.bus.log(f"{system.image} was started {counts.started} times, the last {unconfirmed} unconfirmed")
        history.record(history.value.with_boot_results(system.image, counts.started, counts.confirmed, unconfirmed))
    if value != budget.value:
        budget.record(value)
    return system


def find_installed_system(targets: Sequence[Disk], ports: VolumePorts, context: UnitContext) -> InstalledSystem | None:
    """None if the image cannot be identified: no PRIMARY, one that does not mount, no disktag or several."""
    bus = context.bus
    volumes = (*volumes_of(ports.blocks, tuple(targets), bus), *_array_volumes(targets, ports, bus))
    found = [volume for volume in volumes if volume.contents.label == context.branding.primary_label]
    if len(found) != 1 or found[0].contents.kind not in _MOUNT_OPTIONS:
        return None
    try:
        return _read(found[0], ports, context)
    except GprovError as error:
        bus.log(f"the installed system cannot be read: {error}")
        return None


def _array_volumes(targets: Sequence[Disk], ports: VolumePorts, bus: EventBus) -> tuple[Volume, ...]:
    try:
        return array_volumes(ports.arrays(), ports.blocks, targets, bus)
    except GprovError as error:
        bus.log(f"arrays cannot be read: {error}")
        return ()


def _read(volume: Volume, ports: VolumePorts, context: UnitContext) -> InstalledSystem | None:
    """Raises DeviceFault."""
    target, kind, files = context.mount_points.primary, volume.contents.kind, ports.files
    ports.mounts.mount(volume.node, target, kind, _MOUNT_OPTIONS[kind])
    try:
        stem = installed_image(files, target, context.branding.image_prefix)
        if not stem:
            return None
        return InstalledSystem(stem, read_counts(files, target, context), has_boot_confirmation(files, target))
    finally:
        ports.mounts.unmount(target)
