"""Verify and unpack an image: how much faster than ``xz -dc > buffer; tar x < buffer``?

Both sides decode the whole image before the first byte is written, as a restore must. The reference keeps the unpacked
archive in a tmpfs and gets the file from the page cache; ours reads the medium. All in the same run, in turns; the
ratio is the median of the ratios of each turn.

    python -m benchmarks.image_apply [--megabytes 300] [--runs 3] [--work DIR]
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
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.sample import FOLDERS, pick

_OURS = """
import sys
from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
budget = int(sys.argv[3]) if sys.argv[3] else None
archives = XzTarArchives(SystemProcesses(), memory_budget=budget)
image = archives.verify(sys.argv[1], lambda done, total: None)
archives.extract(image, sys.argv[2], lambda done, total: None)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@dataclass
class Row:
    """One way to apply an image; ``peak`` in MiB."""

    name: str
    image: Path
    kind: str  # "xz": the reference; else the memory budget of ours in bytes, or "" for the usual one
    seconds: list[float] = field(default_factory=list)
    peak: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), help="on the file system to write to")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="image-apply-", dir=args.work) as work:
        measure(Path(work), args.megabytes, args.runs)


def measure(work: Path, megabytes: int, runs: int) -> None:
    many, single = make_images(work, megabytes)
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    rows = [
        Row("reference: xz -dc > tmpfs; tar x < tmpfs", many, "xz"),
        Row("reference with xz -T0 (5.4 and later)", many, "xz -T0"),
        Row("gprov", many, ""),
        Row("gprov, nothing kept (all decoded twice)", many, "0"),
        Row("gprov, single block", single, ""),
    ]
    for number in range(runs):
        for row in rows:
            apply(row, work)
            print(f"run {number + 1}: {row.name}: {row.seconds[-1]:.2f} s", file=sys.stderr)
    report(rows)


def make_images(work: Path, megabytes: int) -> tuple[Path, Path]:
    """The same archive of parts of /usr in blocks, and as a single block."""
    tar, many, single = work / "root.tar", work / "many.upd", work / "single.upd"
    names, total = pick(FOLDERS, megabytes << 20)
    listing = b"\0".join(os.fsencode(str(name)) for name in names)
    options = [
        "--no-recursion",
        "--null",
        "-T",
        "-",
        "--format=pax",
        "--pax-option=delete=atime,delete=ctime,delete=mtime",
    ]
    subprocess.run(["tar", "-c", "-C", "/", *options, "-f", str(tar)], input=listing, check=True)
    for target, how in ((many, ["-T0", "--block-size=16MiB"]), (single, ["-T1"])):
        with target.open("wb") as out:
            subprocess.run(["xz", "-c", "-6", "--check=sha256", *how, str(tar)], stdout=out, check=True)
    tar.unlink()
    print(
        f"{len(names)} members, {total / 1e6:.0f} MB; images of {many.stat().st_size / 1e6:.1f} MB in blocks of 16 MiB,"
    )
    print(f"{single.stat().st_size / 1e6:.1f} MB in one; {len(os.sched_getaffinity(0))} cores, target on {work}")
    return many, single


def apply(row: Row, work: Path) -> None:
    target = work / "target"
    target.mkdir()
    subprocess.run(["sync"], check=True)
    start = time.perf_counter()
    if row.kind.startswith("xz"):
        buffer = Path("/dev/shm") / f"{work.name}.tar"
        try:
            with buffer.open("wb") as out:
                subprocess.run([*row.kind.split(), "-dc", str(row.image)], stdout=out, check=True)
            with buffer.open("rb") as archive:
                subprocess.run(["tar", "-x", "-p", "-i", "-C", str(target)], stdin=archive, check=True)
            row.peak = buffer.stat().st_size >> 20
        finally:
            buffer.unlink()
    else:
        argv = [sys.executable, "-c", _OURS, str(row.image), str(target), row.kind]
        done = subprocess.run(argv, capture_output=True, check=True)
        row.peak = max(row.peak, int(done.stdout) >> 10)
    row.seconds.append(time.perf_counter() - start)
    shutil.rmtree(target)


def report(rows: list[Row]) -> None:
    reference = rows[0].seconds
    print(f"{'':<44}{'seconds':>9}{'ratio':>8}{'peak MiB':>10}")
    for row in rows:
        ratio = statistics.median(theirs / ours for theirs, ours in zip(reference, row.seconds, strict=True))
        print(f"{row.name:<44}{statistics.median(row.seconds):>9.2f}{ratio:>7.2f}x{row.peak:>10}")


if __name__ == "__main__":
    main()
