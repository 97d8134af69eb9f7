"""Metadata of firmware RAID: what is kept over an erase, and that nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.raid_metadata import (
    BLOCK,
    NOWHERE,
    DdfSections,
    ddf_header,
    ddf_parts,
    ddf_structure,
    image,
    imsm_block,
    imsm_sectors,
    usual_sections,
)
from gprov.domain.erase.raid_metadata import FoundMetadata, SavedRange, find_metadata
from gprov.domain.errors import BadInput
from gprov.domain.platform.model import FakeraidType

BLOCKS = 200
SIZE = BLOCKS * BLOCK
DATA = b"\x5a"  # what volumes have stored


def found(kind: FakeraidType, disk: bytes, sector: int = BLOCK) -> FoundMetadata:
    return find_metadata(kind, lambda at, size: disk[at : at + size], len(disk), sector_size=sector)


def kept(ranges: tuple[SavedRange, ...], size: int = SIZE) -> bytes:
    """A disk of zeros with what was kept."""
    return image(size, ((saved.extent.start, saved.content) for saved in ranges))


def ddf_disk(sections: DdfSections, secondary: int = 120, fill: bytes = DATA) -> bytes:
    return image(SIZE, ddf_parts(60, secondary, BLOCKS - 1, sections), fill)


@pytest.mark.parametrize("sector", [512, 4096])
@pytest.mark.parametrize("secondary", [120, NOWHERE])
def test_ddf_structures_are_kept_and_nothing_else(sector: int, secondary: int) -> None:
    result = found(FakeraidType.DDF, ddf_disk(usual_sections(), secondary), sector)
    assert kept(result.ranges) == ddf_disk(usual_sections(), secondary, b"\0")
    assert result.notes == ()


@pytest.mark.parametrize("name", sorted(usual_sections().blocks))
def test_a_ddf_section_that_is_not_valid_is_left_out(name: str) -> None:
    """User data where the header places a section, or a section with a CRC that does not match."""
    usual = dict(usual_sections().blocks)
    offset, content = usual[name]
    for wrong in (DATA * len(content), content[:-1] + b"?" if name != "configuration" else DATA * len(content)):
        result = found(FakeraidType.DDF, ddf_disk(DdfSections({**usual, name: (offset, wrong)})))
        copied = kept(result.ranges)
        assert DATA * 64 not in copied
        if name == "configuration":  # records that are not valid become unused ones
            assert copied[(60 + offset) * BLOCK :][: len(content)] == b"\xff" * len(content)
        else:
            assert len(result.notes) == 2
            assert not any(copied[(60 + offset) * BLOCK :][: len(content)])


def test_ddf_areas_for_data_are_left_out() -> None:
    more = dict(usual_sections().blocks)
    more["diagnostic"] = (20, ddf_structure(0x5A5A5A5A, 1, DATA * 400))
    more["vendor"] = (22, ddf_structure(0x01DBEEF0, 2, b"log"))
    more["bad blocks"] = (24, ddf_structure(0xABADB10C, 1))
    copied = kept(found(FakeraidType.DDF, ddf_disk(DdfSections(more))).ranges)
    assert DATA * 64 not in copied
    for name in ("vendor", "bad blocks"):
        assert more[name][1] in copied


def test_one_damaged_ddf_header_is_noted_and_two_are_refused() -> None:
    disk = bytearray(ddf_disk(usual_sections()))
    disk[60 * BLOCK + 100] ^= 1
    result = found(FakeraidType.DDF, bytes(disk))
    assert [note for note in result.notes if "primary header" in note]
    assert ddf_header(2, 60, 120, usual_sections()) in kept(result.ranges)
    disk[120 * BLOCK + 100] ^= 1
    with pytest.raises(BadInput, match="primary header: the CRC"):
        found(FakeraidType.DDF, bytes(disk))


@given(st.integers(0, BLOCK - 1), st.integers(1, 255))
@settings(max_examples=60)
def test_a_damaged_anchor_is_refused_or_none(at: int, change: int) -> None:
    disk = bytearray(ddf_disk(usual_sections()))
    disk[SIZE - BLOCK + at] ^= change
    try:
        result = found(FakeraidType.DDF, bytes(disk))
    except BadInput:
        return
    assert result.ranges == ()
    assert at < 4  # no signature


def test_more_than_the_limit_is_refused_before_it_is_read() -> None:
    usual = dict(usual_sections().blocks)
    header = ddf_header(1, 60, NOWHERE, DdfSections({**usual, "vendor": (20, bytes(129 << 20))}))
    anchor = ddf_header(0, 60, NOWHERE, usual_sections())

    def read(at: int, size: int) -> bytes:
        assert size == BLOCK
        return {60 * BLOCK: header, (1 << 40) - BLOCK: anchor}[at]

    with pytest.raises(BadInput, match="more than 128 MiB"):
        find_metadata(FakeraidType.DDF, read, 1 << 40)


def imsm_disk(block: bytes, sector: int = BLOCK, last: bytes = DATA, fill: bytes = DATA) -> bytes:
    sectors = imsm_sectors(block, sector)
    size = 40 * 4096

    def parts() -> Iterator[tuple[int, bytes]]:
        yield size - sector - len(sectors), sectors
        yield size - sector, last * sector

    return image(size, parts(), fill)


@given(
    st.integers(0, 3),
    st.integers(1, 12),
    st.sampled_from([None, 1, 3]),
    st.sampled_from([0, 256, 2048, 8192]),
    st.sampled_from([512, 4096]),
)
def test_imsm_blocks_are_kept_and_nothing_else(
    volumes: int, members: int, migration: int | None, extra: int, sector: int
) -> None:
    block = imsm_block(volumes, members=members, migration=migration, extra=extra)
    disk = imsm_disk(block, sector)
    copied = kept(found(FakeraidType.IMSM, disk, sector).ranges, len(disk))
    expected = bytearray(imsm_disk(block, sector, b"\0", b"\0"))
    if volumes and migration == 3:  # the record of a migration has 128 bytes
        expected[len(disk) - sector : len(disk) - sector + 128] = DATA * 128
    assert copied == bytes(expected)


@given(st.integers(0, 600), st.integers(1, 255))
def test_a_damaged_imsm_block_is_refused_or_none(at: int, change: int) -> None:
    block = bytearray(imsm_block(2, members=3))
    if at >= len(block):
        return
    block[at] ^= change
    try:
        result = found(FakeraidType.IMSM, imsm_disk(bytes(block)))
    except BadInput:
        return
    assert result.ranges == ()
    assert at < 24  # no signature


def test_what_stands_in_the_rest_of_a_sector_is_not_kept() -> None:
    block = imsm_block(extra=0)
    disk = bytearray(imsm_disk(block))
    disk[len(disk) - 2 * BLOCK + len(block) : len(disk) - BLOCK] = DATA * (BLOCK - len(block))
    assert DATA * 8 not in kept(found(FakeraidType.IMSM, bytes(disk)).ranges, len(disk))


@pytest.mark.parametrize("kind", list(FakeraidType))
@pytest.mark.parametrize("size", [0, 512, 1024, 1536, 4096, SIZE])
def test_a_disk_without_metadata_has_none(kind: FakeraidType, size: int) -> None:
    assert found(kind, DATA * size).ranges == ()
