"""One pass of gprov over whole disks, all at once, each on a thread of its own as in an erase.

Loads everything, prints "ready", and begins at the first line of its input: an erase runs in a program that has been
started long ago. Prints its peak memory in KiB at the end, and the median time in microseconds between two requests to
a drive, in which that does nothing. Exit status 0: all bytes were written, or are as expected.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import override

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.disk_reader import LinuxDiskReader
from gprov.adapters.linux.disk.disk_writer import LinuxDiskWriter
from gprov.adapters.linux.disk.raw_device import RawDevice, raw_device
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Fill, Stamped


class Timed(RawDevice):
    """Adds the seconds from the end of each request to the beginning of the next to ``gaps``."""

    def __init__(self, inner: RawDevice, gaps: list[float]) -> None:
        self._inner = inner
        self._gaps = gaps
        self._ended = 0.0

    @override
    def read(self, view: memoryview, offset: int) -> int:
        self._begin()
        done = self._inner.read(view, offset)
        self._ended = time.perf_counter()
        return done

    @override
    def write(self, view: memoryview, offset: int) -> int:
        self._begin()
        done = self._inner.write(view, offset)
        self._ended = time.perf_counter()
        return done

    def _begin(self) -> None:
        if self._ended:
            self._gaps.append(time.perf_counter() - self._ended)

    @override
    def flush(self) -> None:
        self._inner.flush()

    @override
    def discard(self, start: int, size: int) -> None:
        self._inner.discard(start, size)

    @override
    def size(self) -> int:
        return self._inner.size()

    @override
    def sector(self) -> int:
        return self._inner.sector()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.erase_pass",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("way", choices=("write", "compare"))
    parser.add_argument("name", metavar="pattern", choices=("zeros", "stamped"))
    parser.add_argument("nodes", metavar="NODE", nargs="+", help="whole disks, such as /dev/loop0: all is overwritten")
    given = parser.parse_args()
    way, name, nodes = given.way, given.name, given.nodes
    blocks, clock = SysfsBlockDevices(include_loop=True), SystemClock()
    disks = [disk for disk in blocks.disks() if disk.node in nodes]
    pattern = Stamped("benchmark") if name == "stamped" else Fill(0)
    gaps: list[float] = []

    @contextmanager
    def timed(disk: Disk, flags: int) -> Iterator[RawDevice]:
        with raw_device(disk, flags) as device:
            yield Timed(device, gaps)

    writer, reader = LinuxDiskWriter(blocks, clock, timed), LinuxDiskReader(blocks, clock, timed)

    def work(disk: Disk) -> bool:
        whole = Extent(0, disk.size)
        if way == "write":
            return writer.overwrite(disk, whole, pattern, ignore).written == disk.size
        found = reader.compare(disk, (whole,), pattern, ignore)
        return found.examined == disk.size and not found.different

    with ThreadPoolExecutor(len(nodes)) as threads:
        print("ready", flush=True)
        sys.stdin.readline()
        done = list(threads.map(work, disks))
    print(peak_kib(), round(statistics.median(gaps) * 1e6))
    return 0 if len(done) == len(nodes) and all(done) else 1


def ignore(done: int) -> None:
    """No report."""


def peak_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


if __name__ == "__main__":
    sys.exit(main())
