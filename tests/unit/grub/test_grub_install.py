"""What goes where when GRUB is put onto a disk."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.archive.artifacts import build_loader
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.install import SECTOR, CoreLocation, Loader, check_loader, core_location, loader_writes
from gprov.domain.disk.layout import GIB, MIB, PartitionTable, TableKind
from gprov.domain.disk.model import Disk
from gprov.domain.disk.plan_layout import primary_table, recovery_table
from gprov.domain.errors import BadInput, GprovError, HardwareMismatch, InternalError
from gprov.domain.formats.disk.device_number import DeviceNumber

LOADER = build_loader()
DISK = Disk(name="sda", node="/dev/sda", device=DeviceNumber(8, 0), size=20 * GIB)
TIB = 1024 * GIB


def test_the_core_goes_behind_the_first_sector_or_into_its_own_partition() -> None:
    mbr = primary_table(FirmwareKind.BIOS, 20 * GIB, raid=False)
    assert core_location(mbr) == CoreLocation(SECTOR, MIB - SECTOR)
    gpt = primary_table(FirmwareKind.BIOS, 3 * TIB, raid=True)
    assert gpt.kind is TableKind.GPT
    assert core_location(gpt) == CoreLocation(MIB, MIB)


@pytest.mark.parametrize("table", [PartitionTable(TableKind.MBR), recovery_table(FirmwareKind.UEFI, 4 * GIB)])
def test_a_table_without_room_for_a_core(table: PartitionTable) -> None:
    with pytest.raises(InternalError):
        core_location(table)


@given(
    st.binary(min_size=SECTOR, max_size=SECTOR),
    st.integers(1, 4096),
    st.binary(min_size=SECTOR, max_size=20 * SECTOR),
)
def test_what_is_kept_and_what_is_patched(table_sector: bytes, at: int, tail: bytes) -> None:
    core = bytearray(LOADER.core[: SECTOR + 0x20] + tail)
    struct.pack_into("<H", core, SECTOR - 4, -(-len(core) // SECTOR) - 1)
    loader = replace(LOADER, core=bytes(core))
    place = CoreLocation(at * SECTOR, 1 << 20)
    written, first = loader_writes(loader, table_sector, place)
    assert (written.offset, first.offset) == (place.offset, 0)
    # Disk signature and partition entries are the table's, all code is GRUB's.
    assert first.content[440:510] == table_sector[440:510]
    assert first.content[:0x5C] == loader.boot[:0x5C]
    assert first.content[0x68:440] == loader.boot[0x68:440]
    assert struct.unpack_from("<Q", first.content, 0x5C) == (at,)
    assert first.content[0x66:0x68] == b"\x90\x90"
    assert first.content[510:] == b"\x55\xaa"
    # One block list: the rest of the core follows its first sector.
    sectors, rest = divmod(len(written.content), SECTOR)
    assert rest == 0
    assert struct.unpack_from("<QHH", written.content, SECTOR - 12) == (at + 1, sectors - 1, 0x820)
    assert written.content[SECTOR:].rstrip(b"\0") == loader.core[SECTOR:].rstrip(b"\0")


@pytest.mark.parametrize(
    ("loader", "said"),
    [
        (Loader(b"", LOADER.core), "boot.img: is 0 bytes long, must be 512"),
        (Loader(bytes(512), LOADER.core), "boot.img: is not a boot sector of GRUB 2"),
        (Loader(LOADER.boot, LOADER.core[:500]), "core.img: cannot be 500 bytes long"),
        (Loader(LOADER.boot, LOADER.core + bytes(512)), "core.img: does not begin with GRUB's disk reader"),
        (Loader(LOADER.boot, bytes(4096)), "core.img: does not begin with GRUB's disk reader"),
        (
            Loader(LOADER.boot, LOADER.core[: SECTOR + 0x14] + b"\xff\xff" + LOADER.core[SECTOR + 0x16 :]),
            "core.img: is of another version of GRUB",
        ),
    ],
)
def test_files_that_are_no_loader(loader: Loader, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_loader(loader, DISK, primary_table(FirmwareKind.BIOS, DISK.size, raid=False))
    assert any(said in line for line in caught.value.details())


@given(st.binary(max_size=600), st.binary(max_size=2000), st.binary(max_size=511))
def test_no_bytes_make_it_fail_otherwise(boot: bytes, core: bytes, table_sector: bytes) -> None:
    with pytest.raises(GprovError):
        loader_writes(Loader(boot, core), table_sector, CoreLocation(SECTOR, MIB))


def test_disks_that_no_bios_starts_from() -> None:
    table = primary_table(FirmwareKind.BIOS, DISK.size, raid=False)
    with pytest.raises(HardwareMismatch, match="4096 bytes"):
        check_loader(LOADER, replace(DISK, sector_size=4096), table)


def test_a_core_that_does_not_fit() -> None:
    core = bytearray(LOADER.core.ljust(MIB, b"x"))
    struct.pack_into("<H", core, SECTOR - 4, len(core) // SECTOR - 1)
    large = replace(LOADER, core=bytes(core))
    with pytest.raises(HardwareMismatch, match=f"space for {MIB - SECTOR}"):
        check_loader(large, DISK, primary_table(FirmwareKind.BIOS, DISK.size, raid=False))
    check_loader(large, DISK, primary_table(FirmwareKind.BIOS, 3 * TIB, raid=False))


def test_no_byte_of_a_loader_shows_in_logs() -> None:
    assert repr(LOADER) == "Loader()"
