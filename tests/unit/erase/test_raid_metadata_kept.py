"""Metadata of firmware RAID over the erase of a simulated disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fuzz.raid_metadata import ddf_parts, imsm_block, imsm_sectors, usual_sections
from gprov.adapters.fake.disk.block import described
from gprov.adapters.fake.disk.whole_disks import FakeWholeDisks
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.apps.unit.execution.erase.raid_metadata import PutBack, put_back, save
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Fill, Stamped
from gprov.domain.erase.raid_metadata import FoundMetadata
from gprov.domain.platform.model import FakeraidType

SIZE = 64 << 20
LAST = SIZE // 512 - 1
USER_DATA = Stamped("user data")


def parts(kind: FakeraidType) -> Iterator[tuple[int, bytes]]:
    if kind is FakeraidType.DDF:
        yield from ddf_parts(LAST - 4000, LAST - 2000, LAST, usual_sections())
    else:
        sectors = imsm_sectors(imsm_block(members=4, extra=1024))
        yield SIZE - 512 - len(sectors), sectors


class Erased:
    """A disk with metadata and user data, saved and then overwritten."""

    def __init__(self, kind: FakeraidType) -> None:
        self.machine = SimulatedMachine()
        self.media = self.machine.add_disk(SIZE, serial="A").media
        self.disk: Disk = described(self.machine)[0]
        self.both = FakeWholeDisks(self.machine)
        self.media.put(Extent(0, SIZE), USER_DATA)
        for offset, content in parts(kind):
            self.media.put(Extent(offset, offset + len(content)), content)
        self.saved = save(self.disk, kind, self.both)
        self.both.overwrite(self.disk, Extent(0, SIZE), Fill(0xC3), lambda done: None)

    def back(self) -> PutBack:
        return put_back(self.disk, self.saved.kind, self.saved.found, self.both, self.both)


@pytest.mark.parametrize("kind", list(FakeraidType))
def test_metadata_is_back_after_the_erase_and_user_data_is_not(kind: FakeraidType) -> None:
    erased = Erased(kind)
    back = erased.back()
    assert back.complete
    assert "was put back after the erase and compared" in back.note
    expected = bytearray(b"\xc3" * SIZE)
    for offset, content in parts(kind):
        expected[offset : offset + len(content)] = content
    assert erased.media.read(Extent(0, SIZE)) == bytes(expected)


@pytest.mark.parametrize("kind", list(FakeraidType))
def test_a_note_says_that_metadata_could_not_be_put_back(kind: FakeraidType) -> None:
    erased = Erased(kind)
    start = next(parts(kind))[0]
    erased.media.unwritable = (Extent(start, start + 512),)
    assert "could not be put back" in erased.back().note
    erased.media.unwritable, erased.media.dropped = (), (Extent(start, start + 512),)
    back = erased.back()
    assert "read differently" in back.note
    assert not back.complete


def test_what_could_not_be_kept_is_stated() -> None:
    machine = SimulatedMachine()
    media = machine.add_disk(SIZE, serial="A").media
    disk, both = described(machine)[0], FakeWholeDisks(machine)
    assert save(disk, FakeraidType.DDF, both).found == FoundMetadata(notes=("no DDF metadata was found",))
    media.put(Extent(SIZE - 512, SIZE), b"\xde\x11\xde\x11" + bytes(508))
    assert "the CRC does not match" in save(disk, FakeraidType.DDF, both).problem
    media.unreadable = (Extent(SIZE - 1024, SIZE),)
    for kind in FakeraidType:
        assert "/dev/sda: cannot read" in save(disk, kind, both).problem
    assert machine.disks[0].writes == 0
