"""Overwriting and reading whole disks on loop devices; errors come from a device that fails where it is told to."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from typing_extensions import override

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.disk_reader import LinuxDiskReader
from gprov.adapters.linux.disk.disk_writer import LinuxDiskWriter
from gprov.adapters.linux.disk.raw_device import OpenDevice, RawDevice, raw_device
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Fill, Pattern, Stamped, pattern_bytes
from gprov.domain.errors import DeviceFault

SIZE = 9 * MIB + 3 * 512  # neither a multiple of the block nor of a page
BLOCKS = SysfsBlockDevices(include_loop=True)
MakeDisk = Callable[..., Disk]


class Faulty(RawDevice):
    """Fails with ``code`` where ``bad`` is touched, from that byte on if ``gone``; ``flush_code``: of the flush."""

    def __init__(self, inner: RawDevice, bad: tuple[Extent, ...], code: int, flush_code: int) -> None:
        self._inner, self._bad, self._code, self._flush_code = inner, bad, code, flush_code

    def _check(self, view: memoryview, offset: int) -> None:
        if any(offset < bad.end and bad.start < offset + len(view) for bad in self._bad):
            raise OSError(self._code, os.strerror(self._code))

    @override
    def read(self, view: memoryview, offset: int) -> int:
        self._check(view, offset)
        return self._inner.read(view, offset)

    @override
    def write(self, view: memoryview, offset: int) -> int:
        self._check(view, offset)
        return self._inner.write(view, offset)

    @override
    def flush(self) -> None:
        self._inner.flush()
        if self._flush_code:
            raise OSError(self._flush_code, os.strerror(self._flush_code))

    @override
    def discard(self, start: int, size: int) -> None:
        self._inner.discard(start, size)

    @override
    def size(self) -> int:
        return self._inner.size()

    @override
    def sector(self) -> int:
        return self._inner.sector()


class Shrunk(Faulty):
    """Has no bytes any more, as the kernel reports a SCSI disk that was removed."""

    @override
    def size(self) -> int:
        return 0


@contextmanager
def removed_after(disk: Disk, flags: int) -> Iterator[RawDevice]:
    """The first 4 MiB are written."""
    with raw_device(disk, flags) as device:
        yield Shrunk(device, (Extent(4 * MIB, disk.size),), errno.ENOSPC, errno.EIO)


def faulty(*bad: Extent, code: int = errno.EIO, flush_code: int = 0) -> OpenDevice:
    @contextmanager
    def opened(disk: Disk, flags: int) -> Iterator[RawDevice]:
        with raw_device(disk, flags) as device:
            yield Faulty(device, bad, code, flush_code)

    return opened


def writer(open_device: OpenDevice = raw_device) -> LinuxDiskWriter:
    return LinuxDiskWriter(BLOCKS, SystemClock(), open_device)


def reader(open_device: OpenDevice = raw_device) -> LinuxDiskReader:
    return LinuxDiskReader(BLOCKS, SystemClock(), open_device)


def ignore(done: int) -> None:
    """No report."""


def content(disk: Disk) -> bytes:
    """By an independent program."""
    return subprocess.run(["dd", f"if={disk.node}", "bs=1M", "status=none"], check=True, capture_output=True).stdout


@pytest.mark.parametrize("pattern", [Fill(0xA5), Stamped("ab")], ids=["fill", "stamped"])
@pytest.mark.parametrize("sector", [512, 4096])
def test_every_byte_is_written_and_compared(make_disk: MakeDisk, pattern: Pattern, sector: int) -> None:
    disk = make_disk(SIZE - SIZE % sector, sector)
    whole = Extent(0, disk.size)
    outcome = writer().overwrite(disk, whole, pattern, ignore)
    assert (outcome.written, outcome.unwritten, outcome.error) == (disk.size, (), "")
    assert content(disk) == pattern_bytes(pattern, 0, disk.size)
    same = reader().compare(disk, (whole,), pattern, ignore)
    assert (same.examined, same.different, same.unreadable, same.error) == (disk.size, (), (), "")
    writer().write(disk, 5 * MIB, bytes(sector))
    assert reader().compare(disk, (whole,), pattern, ignore).different == (Extent(5 * MIB, 5 * MIB + sector),)
    assert reader().read(disk, Extent(5 * MIB, 5 * MIB + sector)) == bytes(sector)


def test_a_part_is_written_without_its_surroundings(make_disk: MakeDisk) -> None:
    disk = make_disk(SIZE)
    part = Extent(3 * MIB + 512, 8 * MIB + 1024)
    writer().overwrite(disk, part, Stamped("ab"), ignore)
    expected = bytearray(SIZE)
    expected[part.start : part.end] = pattern_bytes(Stamped("ab"), part.start, part.size)
    assert content(disk) == bytes(expected)


@pytest.mark.parametrize("code", [errno.EIO, errno.ENODATA])
def test_bad_sectors_are_skipped_and_stated(make_disk: MakeDisk, code: int) -> None:
    disk = make_disk(SIZE)
    bad = (Extent(MIB + 512, MIB + 1536), Extent(SIZE - 512, SIZE))
    whole = Extent(0, SIZE)
    outcome = writer(faulty(*bad, code=code)).overwrite(disk, whole, Fill(0xFF), ignore)
    assert (outcome.written, outcome.unwritten, outcome.error) == (SIZE - 1536, bad, "")
    found = reader(faulty(bad[1], code=code)).compare(disk, (whole,), Fill(0xFF), ignore)
    assert (found.examined, found.different, found.unreadable) == (SIZE - 512, (bad[0],), (bad[1],))


def test_a_drive_that_is_gone_ends_the_pass(make_disk: MakeDisk) -> None:
    disk = make_disk(SIZE)
    gone, whole = Extent(4 * MIB, SIZE), Extent(0, SIZE)
    outcome = writer(faulty(gone, code=errno.ENODEV)).overwrite(disk, whole, Fill(0xFF), ignore)
    assert (outcome.written, outcome.unwritten) == (4 * MIB, (gone,))
    assert "No such device" in outcome.error
    found = reader(faulty(gone, code=errno.EREMOTEIO)).compare(disk, (whole,), Fill(0xFF), ignore)
    assert (found.examined, found.unreadable) == (4 * MIB, ())
    assert "Remote I/O error" in found.error


def test_a_removed_disk_is_not_merely_stated_to_have_no_space(make_disk: MakeDisk) -> None:
    disk = make_disk(SIZE)
    outcome = writer(removed_after).overwrite(disk, Extent(0, SIZE), Fill(0xFF), ignore)
    assert (outcome.written, outcome.unwritten) == (0, (Extent(0, SIZE),))
    assert f"at byte {4 * MIB}: No space left on device; it now has 0 bytes instead of {SIZE}" in outcome.error


def test_a_drive_with_too_many_errors_ends_the_pass(make_disk: MakeDisk) -> None:
    disk = make_disk(SIZE)
    outcome = writer(faulty(Extent(MIB, SIZE))).overwrite(disk, Extent(0, SIZE), Fill(0xFF), ignore)
    assert (outcome.written, outcome.unwritten) == (MIB, (Extent(MIB, SIZE),))
    assert "1024 sectors in a row" in outcome.error


def test_a_failed_flush_counts_as_nothing_written(make_disk: MakeDisk) -> None:
    disk = make_disk(SIZE)
    outcome = writer(faulty(flush_code=errno.EIO)).overwrite(disk, Extent(0, SIZE), Fill(0xFF), ignore)
    assert (outcome.written, outcome.unwritten) == (0, (Extent(0, SIZE),))
    assert "cannot flush" in outcome.error


def test_other_disks_and_disks_in_use_are_not_written(make_disk: MakeDisk) -> None:
    disk = make_disk(SIZE)
    for changed in (replace(disk, serial="other"), replace(disk, size=SIZE - 512)):
        with pytest.raises(DeviceFault):
            writer().overwrite(changed, Extent(0, 512), Fill(0xFF), ignore)
        assert reader().compare(changed, (Extent(0, 512),), Fill(0), ignore).error
    fd = os.open(disk.node, os.O_RDWR | os.O_EXCL)
    with pytest.raises(DeviceFault, match="in use"):
        writer().write(disk, MIB, b"x" * 512)
    os.close(fd)
    assert not any(content(disk))


def test_what_progress_raises_stops_the_pass(make_disk: MakeDisk) -> None:
    disk = make_disk(SIZE)

    class Stop(Exception):
        pass

    def stop(done: int) -> None:
        raise Stop(str(done))

    with pytest.raises(Stop):
        writer().overwrite(disk, Extent(0, SIZE), Fill(1), stop)


def test_discarded_blocks_of_a_loop_device_are_zero(make_disk: MakeDisk) -> None:
    disk = make_disk(8 * MIB)
    writer().overwrite(disk, Extent(0, disk.size), Fill(0xFF), ignore)
    writer().discard(disk, Extent(0, 4 * MIB))
    assert content(disk) == bytes(4 * MIB) + b"\xff" * (4 * MIB)
