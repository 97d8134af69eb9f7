"""Overwrite whole disks: how fast is gprov compared with ``dd oflag=direct``, ``shred`` and ``nwipe``?

The disks are loop devices over files. All ways in the same run, in turns; the ratio is the median of the ratios of each
turn. With several disks all are overwritten at once, and the rate is that of all together.

    python -m benchmarks.erase [--megabytes 2048] [--runs 3] [--disks 1 3] [--work DIR]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

_OURS = """
import sys
from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.disk_reader import LinuxDiskReader
from gprov.adapters.linux.disk.disk_writer import LinuxDiskWriter
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Fill, Stamped
blocks = SysfsBlockDevices(include_loop=True)
disk = next(disk for disk in blocks.disks() if disk.node == sys.argv[1])
pattern = Stamped("benchmark") if "stamped" in sys.argv[2] else Fill(0)
whole, ignore = Extent(0, disk.size), lambda done: None
if sys.argv[2].startswith("compare"):
    LinuxDiskReader(blocks, SystemClock()).compare(disk, (whole,), pattern, ignore)
else:
    assert LinuxDiskWriter(blocks, SystemClock()).overwrite(disk, whole, pattern, ignore).written == disk.size
"""


@dataclass
class Row:
    """One way to overwrite or read a disk. ``argv``: NODE stands for the device."""

    name: str
    argv: tuple[str, ...]
    seconds: list[float] = field(default_factory=list)
    failed: str = ""


def rows(megabytes: int) -> list[Row]:
    ours = (sys.executable, "-c", _OURS, "NODE")
    # Without a count, dd ends with "no space left" at the end of the device.
    dd = ("dd", "bs=4M", f"count={megabytes // 4}", "status=none")
    nwipe = ("nwipe", "--autonuke", "--nogui", "--nowait", "--method=zero", "--verify=off", "--noblank", "--rounds=1")
    return [
        Row(
            "reference: dd oflag=direct, zeros",
            (*dd, "if=/dev/zero", "of=NODE", "oflag=direct", "conv=nocreat,fdatasync"),
        ),
        Row("gprov, zeros", (*ours, "zeros")),
        Row("gprov, stamped", (*ours, "stamped")),
        Row("shred -n1", ("shred", "-n1", "NODE")),
        Row("nwipe, zeros", (*nwipe, "NODE")),
        Row("dd iflag=direct, reading", (*dd, "if=NODE", "of=/dev/null", "iflag=direct")),
        Row("gprov, reading and comparing", (*ours, "compare zeros")),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2048)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--disks", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure")
    args = parser.parse_args()
    for count in args.disks:
        with tempfile.TemporaryDirectory(prefix="erase-", dir=args.work) as work, ExitStack() as stack:
            nodes = [loop_device(Path(work) / f"disk{number}", args.megabytes, stack) for number in range(count)]
            print(f"{count} disk(s) of {args.megabytes} MiB on {args.work}, load before: {os.getloadavg()[0]:.1f}")
            report(measure(rows(args.megabytes), nodes, args.runs), count * args.megabytes)


def loop_device(image: Path, megabytes: int, stack: ExitStack) -> str:
    """With direct I/O, so that the disk is measured and not the page cache; its blocks are allocated beforehand."""
    argv = ["dd", "if=/dev/zero", f"of={image}", "bs=1M", f"count={megabytes}", "status=none", "conv=fdatasync"]
    subprocess.run(argv, check=True)
    argv = ["losetup", "--find", "--show", "--direct-io=on", str(image)]
    node = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    stack.callback(subprocess.run, ["losetup", "--detach", node], check=True)
    return node


def measure(found: list[Row], nodes: list[str], runs: int) -> list[Row]:
    for row in found:
        if shutil.which(row.argv[0]) is None:
            row.failed = "not installed"
    for _ in range(runs):
        for row in found:
            if not row.failed:
                overwrite(row, nodes)
    return found


def overwrite(row: Row, nodes: list[str]) -> None:
    subprocess.run(["sync"], check=True)
    start = time.perf_counter()
    argvs = [[word.replace("NODE", node) for word in row.argv] for node in nodes]
    running = [subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for argv in argvs]
    codes = [one.wait() for one in running]
    row.seconds.append(time.perf_counter() - start)
    if any(codes):
        row.failed = f"exit status {codes}"


def report(found: list[Row], megabytes: int) -> None:
    reference = found[0].seconds
    print(f"{'':<40}{'seconds':>9}{'MB/s':>9}{'ratio':>8}")
    for row in found:
        if row.failed:
            print(f"{row.name:<40}  {row.failed}")
            continue
        ratio = statistics.median(theirs / ours for theirs, ours in zip(reference, row.seconds, strict=True))
        seconds = statistics.median(row.seconds)
        print(f"{row.name:<40}{seconds:>9.2f}{(megabytes << 20) / 1e6 / seconds:>9.0f}{ratio:>7.2f}x")


if __name__ == "__main__":
    main()
