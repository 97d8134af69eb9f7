"""Verify and unpack an image: how far from its limit, which is decoding alone on all cores?

The limit is ``xz -T2 -dc > /dev/null`` (-T as many cores as there are). Also compared: the pipeline ``xz -dc > buffer;
tar x < buffer``, which decodes the whole image before the first byte is written, as a restore must; and gprov's decoder
alone with that of ``xz -T0``, neither of which computes the check. All in turn in the same run; ratios are to the
limit, medians of those of each round. Image and target are in memory (tmpfs); with --disk they are on a virtual disk:
a new ext4 in a file of --work, and writing ends when it is flushed. The image is several times as large with --repeat,
which has the same archive again and again in one file.

    python -m benchmarks.image_apply [--megabytes 206] [--repeat 1 4] [--rounds 3] [--disk] [--work DIR]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.sample import FOLDERS, pick
from benchmarks.timed_run import TimedRun, timed

CORES = len(os.sched_getaffinity(0))
_OURS = """
import sys
from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.image.contents import VerifiedImage
path, target, digest, size, unpacked, budget = sys.argv[1:]
quiet = lambda done, total: None
archives = XzTarArchives(SystemProcesses(), memory_budget=int(budget) if budget else None)
if digest:
    image = VerifiedImage(
        path=path, size=int(size), unpacked=int(unpacked), content_bytes=0, entries=0, digest=digest
    )
    archives.verify_stored(image, quiet, image.unpacked)
else:
    image = archives.verify(path, quiet, int(unpacked))
archives.extract(image, target, quiet)
"""
_DECODER = """
import sys
from gprov.adapters.linux.archive.blocks import decode_authentic
from gprov.adapters.linux.archive.ordered import OrderedDecoder
from gprov.adapters.linux.archive.reader import ImageFile
from gprov.domain.formats.image.xz_layout import read_layout
cores = int(sys.argv[2])
with ImageFile(sys.argv[1]) as file:
    blocks = read_layout(sys.argv[1], file.size, file.read_at).blocks
    with OrderedDecoder(lambda n: decode_authentic(file, blocks[n]), len(blocks), cores, cores * (20 << 20)) as decoder:
        for number in range(len(blocks)):
            for piece in decoder.pieces(number):
                pass
"""


@dataclass(frozen=True)
class Image:
    """``repeat``: how many times it holds the same archive. Sizes in bytes."""

    path: Path
    repeat: int
    size: int
    unpacked: int
    digest: str

    def ours(self, target: Path, *, signed: bool, budget: str = "") -> list[str]:
        facts = (str(self.path), str(target), self.digest if signed else "", str(self.size), str(self.unpacked), budget)
        return [sys.executable, "-c", _OURS, *facts]


@dataclass
class Row:
    """One way to decode or apply an image. ``buffer``: MiB that it takes besides those of its processes."""

    name: str
    argv: list[str]
    buffer: int = 0
    runs: list[TimedRun] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=206, help="of files in one part of the image")
    parser.add_argument("--repeat", type=int, nargs="+", default=[1, 4], help="how many parts an image has")
    parser.add_argument("--rounds", type=int, default=3, help="all programs in turn, so many times")
    parser.add_argument("--disk", action="store_true", help="onto a virtual disk (root), not into memory")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), help="folder for the image")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="image-apply-", dir=args.work) as work:
        packed = pack(Path(work), args.megabytes)
        for repeat in args.repeat:
            with place(Path(work), on_disk=args.disk, size=repeat * (args.megabytes << 20)) as folder:
                image = repeated(packed, repeat, folder)
                rows = measure(image, folder, args.rounds)
            report(image, rows, where="virtual disk" if args.disk else "memory")


def pack(work: Path, megabytes: int) -> Path:
    """Parts of /usr as an image, as ``gprov image create`` compresses it."""
    target = work / "image.xz"
    names, total = pick(FOLDERS, megabytes << 20)
    listing = b"\0".join(os.fsencode(str(name)) for name in names)
    options = ["--no-recursion", "--null", "-T", "-", "--format=pax", "--pax-option=delete=atime,delete=ctime"]
    compressor = ["xz", "-c", "-6", "--check=sha256", "-T0", "--block-size=16MiB"]
    with target.open("wb") as out, subprocess.Popen(compressor, stdin=subprocess.PIPE, stdout=out) as xz:
        subprocess.run(["tar", "-c", "-C", "/", *options], input=listing, stdout=xz.stdin, check=True)
        if xz.stdin is not None:
            xz.stdin.close()
    if xz.returncode:
        raise subprocess.CalledProcessError(xz.returncode, compressor)
    print(f"{len(names)} members, {total / 1e6:.0f} MB of files; {CORES} cores, load {os.getloadavg()[0]:.1f}")
    return target


def repeated(packed: Path, count: int, folder: Path) -> Image:
    """Concatenated xz streams are an xz file, and concatenated archives an archive."""
    path = folder / "image.upd"
    with path.open("wb") as file:
        for _ in range(count):
            with packed.open("rb") as part:
                shutil.copyfileobj(part, file)
    listed = subprocess.run(["xz", "--robot", "--list", str(path)], capture_output=True, check=True).stdout
    unpacked = int(listed.splitlines()[-1].split(b"\t")[4])
    with path.open("rb") as file:  # not as a whole: the memory of a parent counts as that of its children
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Image(path, count, path.stat().st_size, unpacked, digest)


@contextmanager
def place(work: Path, *, on_disk: bool, size: int) -> Iterator[Path]:
    """A folder for an image that unpacks to ``size`` bytes, its buffer and its files."""
    if not on_disk:
        with tempfile.TemporaryDirectory(prefix="image-apply-", dir="/dev/shm") as in_memory:
            yield Path(in_memory)
        return
    disk, folder = work / "disk", work / "mounted"
    with disk.open("wb") as file:
        file.truncate(3 * size + (2 << 30))
    subprocess.run(["mkfs.ext4", "-q", str(disk)], check=True)
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", str(disk), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        disk.unlink()


def measure(image: Image, folder: Path, rounds: int) -> list[Row]:
    target, buffer, path = folder / "target", folder / "buffer", str(image.path)
    old = f"xz -dc '{path}' > '{buffer}' && tar -x -p -i -C '{target}' < '{buffer}' && rm '{buffer}'"
    rows = [
        Row(f"limit: xz -T{CORES} -dc > /dev/null", shell(f"xz -T{CORES} -dc '{path}' > /dev/null")),
        Row("old: xz -dc > buffer; tar x < buffer", shell(old), image.unpacked >> 20),
        Row("gprov without manifest", image.ours(target, signed=False)),
        Row("gprov with manifest", image.ours(target, signed=True)),
        Row("gprov with manifest, read twice", image.ours(target, signed=True, budget="0")),
        Row("decoder: xz -T0 --ignore-check", shell(f"xz -T0 --ignore-check -dc '{path}' > /dev/null")),
        Row("decoder: gprov", [sys.executable, "-c", _DECODER, path, str(CORES)]),
    ]
    for number in range(rounds):
        for row in rows:
            target.mkdir()
            subprocess.run(["sync"], check=True)
            row.runs.append(timed(["sh", "-c", '"$@" && sync -f "$0"', str(target), *row.argv]))
            print(f"round {number + 1}: {row.name}: {row.runs[-1].seconds:.2f} s", file=sys.stderr)
            shutil.rmtree(target)
    return rows


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def report(image: Image, rows: list[Row], where: str) -> None:
    limit = rows[0].runs
    print(f"\n{image.size / 1e6:.0f} MB that unpack to {image.unpacked / 1e6:.0f} MB, into {where}")
    print(f"{'':<40}{'seconds':>9}{'ratio':>7}{'cpu s':>8}{'ratio':>7}{'peak MiB':>10}")
    for row in rows:
        seconds, cpu = (statistics.median(getattr(run, name) for run in row.runs) for name in ("seconds", "cpu"))
        slower = statistics.median(ours.seconds / theirs.seconds for ours, theirs in zip(row.runs, limit, strict=True))
        dearer = statistics.median(ours.cpu / theirs.cpu for ours, theirs in zip(row.runs, limit, strict=True))
        peak = row.buffer + max(run.peak for run in row.runs)
        print(f"{row.name:<40}{seconds:>9.2f}{slower:>7.2f}{cpu:>8.2f}{dearer:>7.2f}{peak:>10}")


if __name__ == "__main__":
    main()
