"""One pass of gprov over whole disks, all at once, each on a thread of its own as in an erase.

Loads everything, prints "ready", and begins at the first line of its input: an erase runs in a program that has been
started long ago. Prints its peak memory in KiB at the end. Exit status 0: all bytes were written, or are as expected.

    python -m benchmarks.erase_pass {write,compare} {zeros,stamped} NODE...
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.disk_reader import LinuxDiskReader
from gprov.adapters.linux.disk.disk_writer import LinuxDiskWriter
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.disk.model import Disk
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Fill, Stamped


def main() -> int:
    way, name, *nodes = sys.argv[1:]
    blocks, clock = SysfsBlockDevices(include_loop=True), SystemClock()
    disks = [disk for disk in blocks.disks() if disk.node in nodes]
    pattern = Stamped("benchmark") if name == "stamped" else Fill(0)
    writer, reader = LinuxDiskWriter(blocks, clock), LinuxDiskReader(blocks, clock)

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
    print(peak_kib())
    return 0 if len(done) == len(nodes) and all(done) else 1


def ignore(done: int) -> None:
    """No report."""


def peak_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


if __name__ == "__main__":
    sys.exit(main())
