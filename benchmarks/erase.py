"""Overwrite and compare whole disks: how fast is gprov compared with ``dd`` (direct I/O), ``shred`` and ``nwipe``?

The disks are loop devices with direct I/O over files. All ways in the same run, in turns; the ratio is the median of
the ratios of each turn, to dd writing or dd reading. With several disks all are worked on at once, and the rate is that
of all together. gprov is timed from a loaded program (benchmarks/erase_pass.py) to its end. On a folder of a tmpfs the
disks are so fast that the processor decides. "idle" is the median time between two requests of gprov to a drive: unlike
the ratios it hardly depends on what else the machine does.

    python -m benchmarks.erase [--megabytes 256] [--runs 3] [--others 1] [--disks 1 3] [--work DIR]
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

_READY = "ready\n"


@dataclass
class Row:
    """One way to overwrite or read a disk. ``argv``: NODE stands for the device; with NODES, one program works on all.
    ``reference``: name of the row that it is compared with. ``runs``: at most so many."""

    name: str
    argv: tuple[str, ...]
    reference: str
    runs: int
    seconds: list[float] = field(default_factory=list)
    peak_kib: int = 0
    idle_us: list[int] = field(default_factory=list)
    failed: str = ""

    @property
    def ours(self) -> bool:
        return "NODES" in self.argv


def rows(megabytes: int, runs: int, others: int) -> list[Row]:
    """The others come last in a turn: gprov compares what it has written."""
    ours = (sys.executable, "-m", "benchmarks.erase_pass")
    # Without a count, dd ends with "no space left" at the end of the device.
    dd = ("dd", "bs=4M", f"count={megabytes // 4}", "status=none")
    write = (*dd, "if=/dev/zero", "of=NODE", "oflag=direct", "conv=nocreat,fdatasync")
    nwipe = ("nwipe", "--autonuke", "--nogui", "--nowait", "--method=zero", "--verify=off", "--noblank", "--rounds=1")
    return [
        Row("dd, writing", write, "dd, writing", runs),
        Row("gprov, writing zeros", (*ours, "write", "zeros", "NODES"), "dd, writing", runs),
        Row("dd, writing again", write, "dd, writing", runs),
        Row("gprov, writing stamped", (*ours, "write", "stamped", "NODES"), "dd, writing again", runs),
        Row("dd, reading", (*dd, "if=NODE", "of=/dev/null", "iflag=direct"), "dd, reading", runs),
        Row("gprov, comparing stamped", (*ours, "compare", "stamped", "NODES"), "dd, reading", runs),
        Row("shred -n1", ("shred", "-n1", "NODE"), "dd, writing", others),
        Row("nwipe, zeros", (*nwipe, "NODE"), "dd, writing", others),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=256, help="of each disk")
    parser.add_argument("--runs", type=int, default=3, help="all programs in turn, so many times")
    parser.add_argument("--others", type=int, default=1, help="runs of shred and nwipe, which need much longer")
    parser.add_argument("--disks", type=int, nargs="+", default=[1, 3], help="how many at once")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure")
    args = parser.parse_args()
    for count in args.disks:
        with tempfile.TemporaryDirectory(prefix="erase-", dir=args.work) as work, ExitStack() as stack:
            nodes = [loop_device(Path(work) / f"disk{number}", args.megabytes, stack) for number in range(count)]
            before = os.getloadavg()[0]
            found = measure(rows(args.megabytes, args.runs, args.others), nodes)
            print(f"{count} disk(s) of {args.megabytes} MiB on {args.work}, {args.runs} runs")
            report(found, count * args.megabytes)
            print(f"load before {before:.1f}, after {os.getloadavg()[0]:.1f}\n", flush=True)


def loop_device(image: Path, megabytes: int, stack: ExitStack) -> str:
    """With direct I/O, so that the disk is measured and not the page cache; its blocks are allocated beforehand."""
    argv = ["dd", "if=/dev/zero", f"of={image}", "bs=1M", f"count={megabytes}", "status=none", "conv=fdatasync"]
    subprocess.run(argv, check=True)
    argv = ["losetup", "--find", "--show", "--direct-io=on", str(image)]
    node = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    stack.callback(subprocess.run, ["losetup", "--detach", node], check=True)
    return node


def measure(found: list[Row], nodes: list[str]) -> list[Row]:
    for row in found:
        if shutil.which(row.argv[0]) is None:
            row.failed = "not installed"
    for number in range(max(row.runs for row in found)):
        for row in found:
            if number < row.runs and not row.failed:
                subprocess.run(["sync"], check=True)
                if row.ours:
                    run_ours(row, nodes)
                else:
                    run_programs(row, nodes)
    return found


def run_programs(row: Row, nodes: list[str]) -> None:
    argvs = [[word.replace("NODE", node) for word in row.argv] for node in nodes]
    start = time.perf_counter()
    running = [subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for argv in argvs]
    codes = [one.wait() for one in running]
    row.seconds.append(time.perf_counter() - start)
    if any(codes):
        row.failed = f"exit status {codes}"


def run_ours(row: Row, nodes: list[str]) -> None:
    argv = [*row.argv[:-1], *nodes]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        if running.stdout is None or running.stdout.readline() != _READY:
            row.failed = "did not start"
            return
        start = time.perf_counter()
        printed, _ = running.communicate("\n")
    row.seconds.append(time.perf_counter() - start)
    if running.returncode:
        row.failed = f"exit status {running.returncode}"
    else:
        peak, idle = printed.split()
        row.peak_kib = max(row.peak_kib, int(peak))
        row.idle_us.append(int(idle))


def report(found: list[Row], megabytes: int) -> None:
    by_name = {row.name: row for row in found}
    print(f"{'':<26}{'seconds':>9}{'MB/s':>9}{'ratio':>8}{'lowest':>9}{'highest':>9}{'peak MiB':>10}{'idle us':>9}")
    for row in found:
        if row.failed:
            print(f"{row.name:<26}  {row.failed}")
            continue
        if not row.seconds:
            continue
        pairs = zip(by_name[row.reference].seconds, row.seconds, strict=False)
        ratios = [reference / seconds for reference, seconds in pairs]
        seconds = statistics.median(row.seconds)
        ratio = f"{statistics.median(ratios):>7.2f}x{min(ratios):>9.2f}{max(ratios):>9.2f}"
        peak = f"{row.peak_kib / 1024:>10.0f}{statistics.median(row.idle_us):>9.0f}" if row.idle_us else ""
        print(f"{row.name:<26}{seconds:>9.2f}{(megabytes << 20) / 1e6 / seconds:>9.0f}{ratio}{peak}")


if __name__ == "__main__":
    main()
