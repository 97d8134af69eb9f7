"""Which machines are simulated, by the names that the lab uses too; and the images that a unit may be given."""

from __future__ import annotations

from functools import lru_cache

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.apps.host.simulation.world import World, new_world
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.platform.model import RaidLevel

# Level and number of data disks.
DISKS: dict[str, tuple[RaidLevel | None, int]] = {"sata": (None, 1)} | {
    f"raid{level.value}": (level, level.least_disks) for level in RaidLevel
}


def simulated(firmware: FirmwareKind, disks: str, seed: int = 0) -> World:
    """A blank machine with its factory. ``disks``: one of the names in ``DISKS``."""
    level, count = DISKS[disks]
    return new_world(seed, level=level, disks=count, firmware=firmware)


def image_name(day: int) -> str:
    """Of the image that is dropped onto RECOVERY as number ``day``; all are newer than what provisioning brought."""
    return f"{Branding().image_prefix}2026-02-{day:02}.{day}.upd"


@lru_cache(maxsize=64)
def image_content(day: int) -> bytes:
    """Each has a kernel that is newer than those before, and a file that no other has."""
    return build_image(build_kernel(100 + day), extra={f"etc/image-{day}": b"yes"})
