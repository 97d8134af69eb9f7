"""What the system that a restore replaces tells about itself: which image it is, and how its starts went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gprov.apps.unit.boot.boot_count import read_counts, reports_boots
from gprov.apps.unit.devices.arrays import array_volumes
from gprov.apps.unit.devices.volumes import volumes_of
from gprov.apps.unit.execution.executor import Tools
from gprov.apps.unit.recovery.budget import BudgetFile
from gprov.apps.unit.recovery.records import HistoryFile
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.boots import BootCounts
from gprov.domain.boot.budget import FREE_RESTORES
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Disk, FileSystemKind, Volume
from gprov.domain.errors import BadInput, GprovError
from gprov.domain.image.name import SUFFIX, parse_image_name
from gprov.domain.mountpoints import Places

_DISKTAG = ".disktag"
_KINDS = {
    FileSystemKind.EXT2.value: ("ro",),
    # Without its journal: nothing on PRIMARY changes before an image was verified.
    FileSystemKind.EXT3.value: ("ro", "noload"),
    FileSystemKind.EXT4.value: ("ro", "noload"),
}


@dataclass(frozen=True)
class Installed:
    """``image``: as the history calls it. ``reports``: does it tell of good boots at all?"""

    image: str
    counts: BootCounts
    reports: bool

    @property
    def ran(self) -> bool:
        """Since it was restored. Of a system that does not report anything, that it was started must do."""
        return bool(self.counts.confirmed if self.reports else self.counts.started)

    @property
    def mark(self) -> str:
        """Tells whether these counts are in the history already."""
        return f"{self.image} {self.counts.started} {self.counts.confirmed_at} {self.counts.confirmed}"


def hear_installed(
    targets: Sequence[Disk],
    tools: Tools,
    places: Places,
    branding: Branding,
    history: HistoryFile,
    budget: BudgetFile,
    bus: EventBus,
) -> None:
    """Whether it ran since it was restored, and how its starts went, before all that is gone. Not after several
    restores in a row: should looking at it be what ends them, the next one gets further."""
    value = budget.value
    if value.restores > FREE_RESTORES:
        return
    old = installed_on(targets, tools, places, branding, bus)
    if old is None:
        return
    counts = old.counts
    if counts.started and old.mark != value.counted:  # else an earlier restore heard it already
        value = replace(value.only_this_one() if old.ran else value, counted=old.mark)
        unconfirmed = counts.unconfirmed if old.reports else 0
        bus.log(f"{old.image} was started {counts.started} times, the last {unconfirmed} in vain")
        history.record(history.value.installed(old.image, counts.started, counts.confirmed, unconfirmed))
    if value != budget.value:
        budget.record(value)


def installed_on(
    targets: Sequence[Disk], tools: Tools, places: Places, branding: Branding, bus: EventBus
) -> Installed | None:
    """None if nothing there tells: no PRIMARY, one that does not mount, none or several disktags."""
    volumes = (*volumes_of(tools.blocks, tuple(targets), bus), *_on_arrays(targets, tools, bus))
    found = [volume for volume in volumes if volume.contents.label == branding.primary_label]
    if len(found) != 1 or found[0].contents.kind not in _KINDS:
        return None
    try:
        return _read(found[0], tools, places.primary, branding, bus)
    except GprovError as error:
        bus.log(f"the old system tells nothing: {error}")
        return None


def _on_arrays(targets: Sequence[Disk], tools: Tools, bus: EventBus) -> tuple[Volume, ...]:
    try:
        return array_volumes(tools.arrays, tools.blocks, targets, bus)
    except GprovError as error:
        bus.log(f"arrays tell nothing: {error}")
        return ()


def _read(volume: Volume, tools: Tools, target: str, branding: Branding, bus: EventBus) -> Installed | None:
    """Raises DeviceFault."""
    tools.mounts.mount(volume.node, target, volume.contents.kind, _KINDS[volume.contents.kind])
    try:
        names = tools.files.names(target)
        stems = [stem for name in names if (stem := _image(name, branding.image_prefix))]
        if len(stems) != 1:
            return None
        counts = read_counts(tools.files, target, branding.config_folder, bus)
        return Installed(stems[0], counts, reports_boots(tools.files, target))
    finally:
        tools.mounts.unmount(target)


def _image(name: str, prefix: str) -> str:
    if not name.endswith(_DISKTAG):
        return ""
    try:
        return parse_image_name(name.removesuffix(_DISKTAG) + SUFFIX, prefix).stem
    except BadInput:
        return ""
