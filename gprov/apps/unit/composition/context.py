"""Values that every use case of a unit needs besides its ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gprov.domain.recovery_files import IMAGE_FOLDER

if TYPE_CHECKING:  # each import is time on every boot
    from collections.abc import Callable

    from gprov.apps.unit.reporting.bus import EventBus
    from gprov.domain.boot.args import BootArguments
    from gprov.domain.branding import Branding
    from gprov.domain.mountpoints import MountPoints
    from gprov.domain.platform.model import Platform


@dataclass(frozen=True, kw_only=True)
class UnitContext:
    """Names, mount points, kernel arguments, platform table and event bus of one run.

    A function takes the context if it needs two or more of these, else the one value. ``load_platforms`` returns the
    platform table: a normal boot does not need it and must not import it.
    """

    branding: Branding
    mount_points: MountPoints
    arguments: BootArguments
    bus: EventBus
    load_platforms: Callable[[], tuple[Platform, ...]]

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platform table. The first access imports or parses it."""
        return self.load_platforms()

    @property
    def image_folder(self) -> str:
        """Path of the folder of images on the mounted RECOVERY."""
        return f"{self.mount_points.recovery}/{IMAGE_FOLDER}"

    @property
    def log_folder(self) -> str:
        """Path of the folder of logs and records on the mounted RECOVERY."""
        return f"{self.mount_points.recovery}/{self.branding.log_folder}"
