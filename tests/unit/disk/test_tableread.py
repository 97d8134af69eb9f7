"""PARTUUID and PARTLABEL out of tables that sfdisk wrote."""

from __future__ import annotations

import struct
import zlib
from base64 import b85decode
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.formats.disk.partition_ids import PartitionId
from gprov.domain.formats.disk.partition_ids import read_partition_ids as read_by

# The first 32 KiB of disks, compressed: sfdisk 2.38 with fixed identifiers, partitions 1 and 3, sectors of 512 bytes,
GPT_512 = (
    "c-rmKzbk}s7y$6+46;cXm5W72Mp1IFpM&e%k+RFmWKfF5;%~V540bn3sVh<@%bCn~tL?nbd&+3z`h4p9`$s+B=NrL)HV~~&r;|&2"
    "U-j=)YRU3izPMN_N91BJohc8luYRud?)tuU=&O0n#v`eTiP_mgq0%*w?LW=R-RRSp?EHOGN7J|C@6RJQ8&Pd6H0Elldi~*{*=%+7"
    "^4{6`c`k{qDE2}8*Yo$oXXl42m&fx5FDoZ+`^jYP>Z1Lan@sjEt{&S_&EjwWJXeZFEX8JQr!P^8-N?s`&jbJf000000000000000"
    "0000000000000000002c2R;C?RzLa"
)
# the same with sectors of 4096 bytes,
GPT_4096 = (
    "c-rmQtxH2u6aet^j20PK#W9N*T@)vxbBIBiA1K&|Rg*ywv{?Kb#JB~!CK1Ge7L&zh-l|xh&+!zr+5GtZ;KDuk-V@H@mU|=k&HAE~"
    "rfHJR(y8xfuQqiM007{BsLst7m!|705lL)j@!-|^&D(mC?|-~1^M#i@E@Voja(Q-kwWlvXwx5s6X`!OK0002+GmP$xT@F9r7tR;r"
    "q+MxGG&2_$x3`avou2o1f7<`$-yoJ_=?~O@HhDd8aJXGN-kscfsO>#9sv}A3sC$=;R2xUFyKW5T^$&f{t4BL#VlmdTPSj%~iZSjo"
    "0RR91000000000000000000000002|W3RkHJdy"
)
# and an MBR with the disk signature 0xdeadbeef.
MBR = (
    "c-rmIu?<E57zEG{jpQ$^Kw%$^70e;g8bU3xf*}lG1rta}{JmQ8UUJ1<c@ccku`YW=Usf@6brShKHFw5edTvD))4#uHXHNnE00000"
    "00000000000000000000000000000006Z?YMG49"
)
IDS = {
    1: PartitionId("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "ESP"),
    3: PartitionId("01234567-89ab-cdef-0123-456789abcdef", "RÉCOVERY 2"),
}


SIZE = 64 << 20  # bytes of the disks that these tables are of


def read_partition_ids(data: bytes, sector: int, numbers: Iterable[int], size: int = SIZE) -> Mapping[int, PartitionId]:
    """Of a disk that begins so, and is blank behind it."""

    def read(offset: int, count: int) -> bytes:
        part = data[offset : offset + count]
        return part + bytes(max(0, min(count, size - offset) - len(part)))

    return read_by(read, size, sector, numbers)


def start(text: str) -> bytes:
    return zlib.decompress(b85decode(text))


@pytest.mark.parametrize(("table", "sector"), [(GPT_512, 512), (GPT_4096, 4096)])
def test_gpt(table: str, sector: int) -> None:
    assert read_partition_ids(start(table), sector, range(1, 9)) == IDS
    assert read_partition_ids(start(table), sector, [3]) == {3: IDS[3]}


def test_the_wrong_sector_size_finds_nothing() -> None:
    assert read_partition_ids(start(GPT_512), 4096, [1, 3]) == {}


def test_mbr() -> None:
    assert read_partition_ids(start(MBR), 512, [1, 5, 12]) == {
        1: PartitionId("deadbeef-01"),
        5: PartitionId("deadbeef-05"),
        12: PartitionId("deadbeef-0c"),
    }


def test_nothing_in_a_blank_or_short_start() -> None:
    assert read_partition_ids(bytes(32 << 10), 512, [1]) == {}
    assert read_partition_ids(b"", 512, [1]) == {}


@pytest.mark.parametrize("offset", [512, 512 + 8, 512 + 40, 512 + 72, 512 + 88, 1024, 1024 + 16, 1024 + 128 * 127])
def test_a_damaged_gpt_says_nothing(offset: int) -> None:
    """Half a table must not name partitions: both checksums hold, or nothing counts."""
    data = bytearray(start(GPT_512))
    data[offset] ^= 1
    assert read_partition_ids(bytes(data), 512, [1, 3]) == {}


@settings(max_examples=150)
@given(st.binary(max_size=64), st.integers(400, 1400), st.sampled_from([512, 4096]), st.sampled_from([GPT_512, MBR]))
def test_no_damage_makes_it_fail(noise: bytes, offset: int, sector: int, table: str) -> None:
    data = start(table)
    read_partition_ids(data[:offset] + noise + data[offset + len(noise) :], sector, range(1, 130))
    read_partition_ids(data[:offset] + noise, sector, range(1, 130))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_no_header_that_checks_out_makes_it_over_read(count: int, entry_size: int, first: int, size: int) -> None:
    data = bytearray(start(GPT_512))
    header = data[512:1024]
    header[12:16] = size.to_bytes(4, "little")
    header[72:80] = first.to_bytes(8, "little")
    header[80:84] = count.to_bytes(4, "little")
    header[84:88] = entry_size.to_bytes(4, "little")
    header[16:20] = bytes(4)
    header[16:20] = zlib.crc32(header[:size]).to_bytes(4, "little")
    data[512:1024] = header
    read_partition_ids(bytes(data), 512, range(1, 200))


def gpt(own: int, first: int, entries: bytes, entry_size: int = 128) -> bytes:
    """A header in a sector of 512 bytes."""
    count = len(entries) // entry_size
    fields = (b"EFI PART", 0x10000, 92, 0, 0, own, 0, 34, 98, b"G" * 16, first, count, entry_size, zlib.crc32(entries))
    header = bytearray(struct.pack("<8sIIII4Q16sQIII", *fields))
    header[16:20] = zlib.crc32(header).to_bytes(4, "little")
    return bytes(header).ljust(512, b"\0")


def entry(number: int, name: str = "") -> bytes:
    return (b"T" * 16 + bytes([number]) * 16 + bytes(24) + name.encode("utf-16-le")).ljust(128, b"\0")


def uuid(number: int) -> str:
    return "-".join(f"{number:02x}" * octets for octets in (4, 2, 2, 2, 6))


PROTECTIVE = bytes(446) + b"\0\0\2\0\xee\xff\xff\xff\1\0\0\0\xff\xff\0\0" + bytes(48) + b"\x55\xaa"


def disk(*blocks: tuple[int, bytes], sectors: int = 400) -> bytes:
    data = bytearray(512 * sectors)
    for sector, block in blocks:
        data[512 * sector : 512 * sector + len(block)] = block
    return bytes(data)


def ids(data: bytes, *numbers: int) -> dict[int, str]:
    found = read_partition_ids(data, 512, numbers, len(data))
    return {number: one.uuid for number, one in found.items()}


def test_256_entries() -> None:
    entries = b"".join(map(entry, range(256)))
    data = disk((0, PROTECTIVE), (1, gpt(1, 2, entries)), (2, entries))
    assert ids(data, 1, 200, 256) == {1: uuid(0), 200: uuid(199), 256: uuid(255)}


def test_entries_that_were_moved() -> None:
    entries = entry(1) + entry(2)
    assert ids(disk((0, PROTECTIVE), (1, gpt(1, 300, entries)), (300, entries)), 1, 2) == {1: uuid(1), 2: uuid(2)}


def test_the_backup_counts_if_the_first_table_is_damaged() -> None:
    old, new = entry(1), entry(2)
    backup = ((398, old), (399, gpt(399, 398, old)))
    whole = ((0, PROTECTIVE), (1, gpt(1, 2, new)), (2, new))
    assert ids(disk(*whole, *backup), 1) == {1: uuid(2)}
    assert ids(disk((0, PROTECTIVE), *backup), 1) == {1: uuid(1)}
    # The header is whole, its entries are not.
    assert ids(disk((0, PROTECTIVE), (1, gpt(1, 2, new)), (2, old), *backup), 1) == {1: uuid(1)}
    assert ids(disk((0, PROTECTIVE), (398, new), backup[1]), 1) == {}


def test_a_header_that_belongs_elsewhere_is_none() -> None:
    """Copied with its disk onto another one, or found where a smaller disk ended."""
    entries = entry(1)
    assert ids(disk((0, PROTECTIVE), (1, gpt(2, 3, entries)), (3, entries)), 1) == {}
    assert ids(disk((0, PROTECTIVE), (2, entries), (399, gpt(1, 2, entries))), 1) == {}


def test_an_mbr_of_its_own_goes_before_what_is_left_of_a_gpt() -> None:
    entries = entry(1)
    left = ((1, gpt(1, 2, entries)), (2, entries), (398, entries), (399, gpt(399, 398, entries)))
    assert ids(disk((0, start(MBR)[:512]), *left), 1) == {1: "deadbeef-01"}
    unsigned = start(MBR)[:440] + bytes(4) + start(MBR)[444:512]
    assert ids(disk((0, unsigned), *left), 1) == {}


def test_larger_entries_than_usual() -> None:
    entries = entry(1) + bytes(128) + entry(2) + bytes(128)
    assert ids(disk((0, PROTECTIVE), (1, gpt(1, 2, entries, 256)), (2, entries)), 1, 2) == {1: uuid(1), 2: uuid(2)}


@pytest.mark.parametrize("size", [0, 1, 511, 512, 600, 1024])
def test_disks_that_end_early(size: int) -> None:
    entries = entry(1)
    data = disk((0, PROTECTIVE), (1, gpt(1, 2, entries)), (2, entries))[:size]
    assert read_by(lambda offset, count: data[offset : offset + count], size, 512, [1]) == {}
