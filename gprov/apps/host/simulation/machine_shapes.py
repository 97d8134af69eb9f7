"""Kinds of simulated machines, under the same names as in the lab; and images that are dropped onto RECOVERY."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.disk.drive_commands import ErasesMedia, MediaStore
from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.drives.nvme import SimulatedNvmeDrive
from gprov.apps.host.simulation.new_worlds import world_of
from gprov.apps.host.simulation.user_data import data_disks
from gprov.apps.host.simulation.world import World
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Bus
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import Platform, RaidLevel

# Level and number of data disks.
DISKS: dict[str, tuple[RaidLevel | None, int]] = {"sata": (None, 1)} | {
    f"raid{level.value}": (level, level.min_disks) for level in RaidLevel
}


def simulated(firmware: FirmwareKind, disks: str, seed: int = 0) -> World:
    """A blank machine with its factory. ``disks``: one of the names in ``DISKS``."""
    return world_of(platform_of(disks), Branding(), firmware, seed)


def attach_sata_drives(world: World) -> None:
    """Let the data disks take ATA commands, as drives that need minutes to erase themselves."""
    for disk in data_disks(world):
        model = AtaModel(sectors=disk.size // 512, serial=disk.serial)
        disk.scsi_drive = SatDrive(world.machine.clock, MediaStore(disk), model)


def attach_nvme_drives(world: World) -> None:
    """The same as NVMe drives with one namespace each."""
    for disk in data_disks(world):
        disk.bus = Bus.NVME
        disk.nvme_drive = SimulatedNvmeDrive(world.machine.clock, {1: disk.size}, ErasesMedia(disk))


def platform_of(disks: str) -> Platform:
    """The default platform with these data disks."""
    level, count = DISKS[disks]
    return replace(default_table()[0], raid_level=level, data_disks=count)


def image_name(day: int) -> str:
    """Name of the image that is dropped onto RECOVERY as number ``day``; all are newer than that of provisioning."""
    return f"{Branding().image_prefix}2026-02-{day:02}.{day}.upd"


@lru_cache(maxsize=64)
def image_content(day: int) -> bytes:
    """Its kernel is newer than those of lower numbers, and it has a file that no other has."""
    return build_image(build_kernel(100 + day), extra={f"etc/image-{day}": b"yes"})
