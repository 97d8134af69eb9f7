"""Metadata of firmware RAID on loop devices: mdadm reads it before and after an erase, and finds it unchanged."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fuzz.raid_metadata import ddf_parts, imsm_block, imsm_sectors, usual_sections
from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.disk_reader import LinuxDiskReader
from gprov.adapters.linux.disk.disk_writer import LinuxDiskWriter
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.unit.execution.erase.raid_metadata import put_back, save
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Fill
from gprov.domain.platform.model import FakeraidType

SIZE = 64 * MIB  # mdadm accepts DDF on disks of at least 32 MiB
USER_DATA = b"data of the unit"
BLOCKS = SysfsBlockDevices(include_loop=True)
MakeDisk = Callable[..., Disk]
# The host has no firmware of Intel; a loop device has no serial number.
ENVIRONMENT = {**os.environ, "IMSM_NO_PLATFORM": "1", "IMSM_DEVNAME_AS_SERIAL": "1"}


def parts(kind: FakeraidType, disk: Disk, last: int) -> Iterator[tuple[int, bytes]]:
    if kind is FakeraidType.DDF:
        yield from ddf_parts(last - 4000, last - 2000, last, usual_sections())
    else:
        block = imsm_block(members=4, extra=1024, serial=disk.name.encode())
        sectors = imsm_sectors(block, disk.sector_size)
        yield SIZE - disk.sector_size - len(sectors), sectors


def examined(disk: Disk) -> str:
    done = subprocess.run(["mdadm", "--examine", disk.node], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("kind", "sector"), [(FakeraidType.DDF, 512), (FakeraidType.IMSM, 512), (FakeraidType.IMSM, 4096)]
)
def test_mdadm_finds_the_same_metadata_after_an_erase(
    make_disk: MakeDisk, kind: FakeraidType, sector: int, tmp_path: Path
) -> None:
    disk = make_disk(SIZE, sector)
    with open(disk.node, "r+b") as device:
        device.write(USER_DATA * (SIZE // len(USER_DATA)))
        for offset, content in parts(kind, disk, SIZE // 512 - 1):
            device.seek(offset)
            device.write(content)
    reader, writer = LinuxDiskReader(BLOCKS, SystemClock()), LinuxDiskWriter(BLOCKS, SystemClock())
    before = examined(disk)
    assert ("de11de11" if kind is FakeraidType.DDF else "Checksum") in before
    saved = save(disk, kind, reader)
    writer.overwrite(disk, Extent(0, SIZE), Fill(0), lambda done: None)
    back = put_back(disk, saved.kind, saved.found, writer, reader)
    assert "was put back after the erase and compared" in back.note
    assert examined(disk) == before
    assert USER_DATA not in next(tmp_path.glob("disk*")).read_bytes()
