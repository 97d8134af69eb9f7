"""What is reported of disks that take no erase commands."""

from __future__ import annotations

import pytest

from gprov.domain.disk.model import Bus, Disk
from gprov.domain.erase.choose import choose_techniques
from gprov.domain.erase.drive_report import DriveReport
from gprov.domain.erase.families import report_protocol
from gprov.domain.erase.request import EraseRequest
from gprov.domain.erase.techniques import TECHNIQUES, Level, Technique
from gprov.domain.formats.disk.device_number import DeviceNumber


def report_of(bus: Bus) -> DriveReport:
    """Without any command."""
    disk = Disk(name="d", node="/dev/d", device=DeviceNumber(179, 0), size=1 << 30, bus=bus)
    with pytest.raises(StopIteration) as caught:
        next(report_protocol(disk))
    found: DriveReport = caught.value.value
    return found


@pytest.mark.parametrize("bus", [Bus.MMC, Bus.VIRTIO, Bus.UNKNOWN])
def test_a_disk_without_erase_commands_is_overwritten_and_its_level_is_no_purge(bus: Bus) -> None:
    choice = choose_techniques(report_of(bus), EraseRequest())
    assert choice.techniques == (Technique.OVERWRITE,)
    assert TECHNIQUES[Technique.OVERWRITE].level is Level.CLEAR


def test_the_areas_of_an_emmc_that_are_no_blocks_of_its_disk_are_not_examined() -> None:
    assert report_of(Bus.MMC).not_examined == (
        "boot areas, RPMB and general purpose areas of an eMMC",
        "what the device hides",
    )
    assert report_of(Bus.VIRTIO).not_examined == ("what the device hides",)
