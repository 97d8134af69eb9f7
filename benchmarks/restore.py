"""A whole factory restore in a unit with little memory: seconds of its parts, by the unit's own log.

The image is the lab's Debian root with files of this machine added, up to the wanted size; each amount of guest memory
gets one restore of the same unit. What does not fit into memory is decoded twice. The ratio compares the first amount
of memory with the others in the same run; `image_apply.py` compares the decoding itself with other programs.

    python -m benchmarks.restore [--megabytes 300] [--memory 512 1024 2048] [--workdir DIR]
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

from benchmarks.sample import FOLDERS, pick
from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.image.create import ImageMaker, ImageRequest, RootArchive
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.lifecycle import RESTORED
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lab.volumes import ext_volume, remove_flag
from gprov.domain.branding import Branding
from gprov.domain.image.imgmeta import ImageMeta
from gprov.domain.image.name import ImageName

_NAME = ImageName(date(2025, 1, 1), 1, "0001", Branding().image_prefix)
_STICK = 2  # the partition of the recovery disk that is RECOVERY
# Parts of the flow by the lines of the log that begin them.
_PARTS = {
    "find RECOVERY and target": "state FR_STARTED",
    "verify": f"Checking {_NAME.filename}",
    "partition and format": f"Restoring {_NAME.stem}",
    "unpack": "start: unpack",
    "configure, flush, flag": "start: write /mnt/PRIMARY/etc/fstab",
}
_END = "state FR_SUCCEEDED"
_LINE = re.compile(r"^(\d{4}-\d\d-\d\dT[0-9:.]+)Z [A-Z]+ (.*)$", re.MULTILINE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--memory", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--workdir", default=os.path.join(tempfile.gettempdir(), "gprov-bench-restore"))
    args = parser.parse_args()
    container, processes = LabContainer(), SystemProcesses()
    if not os.path.exists(os.path.join(args.workdir, "primary0.qcow2")):
        container.lab().lifecycle(args.workdir, VirtualUnitSpec())
    unit = VirtualUnit.open(args.workdir)
    with tempfile.TemporaryDirectory(prefix="gprov-bench-") as work:
        image = make_image(container.products().image, Path(work), args.megabytes)
        with ext_volume(processes, unit.recovery, _STICK, writable=True) as stick:
            stick.add(str(image), f"/Image/{image.name}")
        packed = image.stat().st_size
    totals = []
    for memory in args.memory:
        remove_flag(processes, unit)
        log = unit.serial_log(f"bench-restore-{memory}")
        machine = replace(unit.machine(), memory=memory << 20)
        result = container.stages().run("restore", machine, log, RESTORED)
        if not result.passed:
            print(f"{memory} MiB: {result.reason}; see {log}", file=sys.stderr)
            return 3
        parts = seconds(Path(log).read_text(errors="replace"))
        totals.append(sum(parts.values()))
        print(f"guest with {memory} MiB: {totals[-1]:.1f} s for an image of {packed / 1e6:.0f} MB")
        for name, value in parts.items():
            print(f"    {name:<28} {value:5.1f} s")
    for memory, total in zip(args.memory[1:], totals[1:], strict=True):
        print(f"ratio of {memory} MiB to {args.memory[0]} MiB (reference): {total / totals[0]:.2f}")
    return 0


def make_image(base: str, work: Path, megabytes: int) -> Path:
    """``base`` with files of this machine added until it unpacks to so many megabytes."""
    plain = work / "root.tar"
    with plain.open("wb") as file:
        subprocess.run(["xz", "-dc", base], stdout=file, check=True)
    missing = max(0, (megabytes << 20) - plain.stat().st_size)
    names, _ = pick(FOLDERS, missing)
    listing = b"\0".join(os.fsencode(str(name)) for name in names)
    command = ["tar", "--append", f"--file={plain}", "--no-recursion", "--directory=/"]
    command += ["--transform=s,^,usr/local/bench/,rSh", "--null", "--files-from=-"]
    subprocess.run(command, input=listing, check=True)
    makers = ImageMaker(SystemProcesses(), XzTarArchives(SystemProcesses()), Branding())
    request = ImageRequest(source=RootArchive(str(plain)), name=_NAME, output=str(work), meta=ImageMeta())
    makers.create(request, lambda line: print(line, file=sys.stderr))
    plain.unlink()
    return work / _NAME.filename


def seconds(log: str) -> dict[str, float]:
    lines = [(datetime.fromisoformat(match[1]), match[2]) for match in _LINE.finditer(log)]

    def begin(text: str) -> datetime:
        return next(when for when, line in lines if line.startswith(text))

    starts = [begin(text) for text in (*_PARTS.values(), _END)]
    return {name: (end - start).total_seconds() for name, (start, end) in zip(_PARTS, pairwise(starts), strict=True)}


if __name__ == "__main__":
    sys.exit(main())
