"""A whole factory restore in a unit, with and without a signed manifest: seconds of its parts, by the unit's own log.

The image is the lab's small root with files of this machine added, up to the wanted size; it and its manifest are on
RECOVERY. Each amount of guest memory gets two restores of the same unit in turn: in one, the kernel has the keys of the
owner (a second initramfs), so that the image is hashed as stored and decoded once; in the other it has none, and the
image is verified from its first to its last byte. The ratio compares both in the same run; `image_apply.py` compares
the decoding itself with other programs. The unit and the image are kept in --workdir for the next run.

    python -m benchmarks.restore [--megabytes 281] [--memory 2048 512] [--rounds 1] [--workdir DIR]
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

from benchmarks.sample import FOLDERS, pick
from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.image.create import ImageMaker, ImageRequest, RootArchive
from gprov.apps.host.initramfs.cpio import archive, folder, regular
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.lifecycle import RESTORED, UNIT_ARGUMENTS, Lab
from gprov.apps.host.lab.machine import DirectKernel
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lab.volumes import ext_volume, remove_flag
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import signed_files
from gprov.domain.branding import Branding
from gprov.domain.image.imgmeta import ImageMeta
from gprov.domain.image.name import ImageName
from gprov.domain.recovery_files import BUDGET_FILE
from gprov.domain.trust import built_in
from gprov.domain.trust.policy import TrustPolicy

_NAME = ImageName(date(2025, 1, 1), 1, "0001", Branding().image_prefix)
_BUDGET = f"/{Branding().log_folder}/{BUDGET_FILE}"
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


@dataclass
class Restores:
    """Restores of one kind; ``runs``: seconds of the parts of each."""

    name: str
    memory: int  # of the guest, MiB
    initramfs: str
    runs: list[dict[str, float]] = field(default_factory=list)

    @property
    def total(self) -> float:
        return statistics.median(sum(run.values()) for run in self.runs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=281, help="MiB of the tar archive")
    parser.add_argument("--memory", type=int, nargs="+", default=[2048, 512], help="MiB of the virtual machine")
    parser.add_argument("--rounds", type=int, default=1, help="restores with each memory")
    parser.add_argument(
        "--workdir", default=os.path.join(tempfile.gettempdir(), "gprov-bench-restore"), help="for units"
    )
    args = parser.parse_args()
    container, owner = LabContainer(), Owner()
    if not os.path.exists(os.path.join(args.workdir, "primary0.qcow2")):
        lab = Lab(container.processes(), container.stages(), container.small_products)
        lab.lifecycle(args.workdir, VirtualUnitSpec())
    unit = VirtualUnit.open(args.workdir)
    image = kept_image(container.small_products().image, Path(args.workdir), args.megabytes)
    store(unit, image, owner)
    keys = Path(args.workdir) / "keys.cpio"
    keys.write_bytes(trusting(owner))
    kinds = [
        Restores(name, memory, initramfs)
        for memory in args.memory
        for name, initramfs in (("with manifest", str(keys)), ("without", ""))
    ]
    for number in range(args.rounds):
        for kind in kinds:
            log = restore(container, unit, kind, number)
            if log is None:
                return 3
            kind.runs.append(seconds(log.read_text(errors="replace")))
    report(kinds, image.stat().st_size, args.megabytes)
    return 0


def report(kinds: list[Restores], packed: int, megabytes: int) -> None:
    print(f"image of {packed / 1e6:.0f} MB, {megabytes * 1.048576:.0f} MB unpacked; medians of {len(kinds[0].runs)}")
    print(f"{'guest seconds':<28}" + "".join(f"{kind.memory:>6} MiB {kind.name:<14}" for kind in kinds))
    for part in _PARTS:
        medians = (statistics.median(run[part] for run in kind.runs) for kind in kinds)
        print(f"{part:<28}" + "".join(f"{value:>10.1f}{'':<15}" for value in medians))
    print(f"{'all':<28}" + "".join(f"{kind.total:>10.1f}{'':<15}" for kind in kinds))
    for signed, unsigned in zip(kinds[::2], kinds[1::2], strict=True):
        print(f"{signed.memory} MiB: {signed.total / unsigned.total:.2f} of a restore without manifest (reference)")


def restore(container: LabContainer, unit: VirtualUnit, kind: Restores, number: int) -> Path | None:
    """The log of one restore; None if it failed."""
    remove_flag(container.processes(), unit)
    # Restores in a row are begun ever later.
    with ext_volume(container.processes(), unit.recovery, _STICK, writable=True) as stick:
        if stick.has(_BUDGET):
            stick.remove(_BUDGET)
    log = unit.serial_log(f"bench-restore-{kind.memory}-{'keys' if kind.initramfs else 'plain'}-{number}")
    arguments = ("quiet", "real_root=LABEL=PRIMARY", *UNIT_ARGUMENTS)
    kernel = DirectKernel(container.small_products().normal_kernel, arguments, kind.initramfs)
    machine = replace(unit.machine().booting(kernel), memory=kind.memory << 20)
    result = container.stages().run("restore", machine, log, RESTORED)
    if not result.passed:
        print(f"{kind.memory} MiB {kind.name}: {result.reason}; see {log}", file=sys.stderr)
        return None
    return Path(log)


def trusting(owner: Owner) -> bytes:
    """An initramfs with the trust of a kernel that was built with the owner's keys."""
    files = {
        built_in.CHAIN_PATH: owner.chain,
        built_in.POLICY_FILE: built_in.serialise_policy(TrustPolicy.ENFORCE),
    }
    nodes = [folder("etc"), folder("etc/gprov"), folder("etc/gprov/trust")]
    return archive([*nodes, *(regular(name.lstrip("/"), content) for name, content in files.items())])


def store(unit: VirtualUnit, image: Path, owner: Owner) -> None:
    """Put the image with its manifest on RECOVERY, in place of those of a former run."""
    with (
        tempfile.TemporaryDirectory(prefix="gprov-bench-") as work,
        ext_volume(SystemProcesses(), unit.recovery, _STICK, writable=True) as stick,
    ):
        for name, content in signed_files(_NAME.filename, image.read_bytes(), owner).items():
            path = Path(work) / name
            path.write_bytes(content)
            if stick.has(f"/Image/{name}"):
                stick.remove(f"/Image/{name}")
            stick.add(str(path), f"/Image/{name}")


def kept_image(base: str, folder: Path, megabytes: int) -> Path:
    """The image of a former run, or a new one."""
    kept = folder / f"bench-{megabytes}" / _NAME.filename
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        make_image(base, kept.parent, megabytes)
    return kept


def make_image(base: str, work: Path, megabytes: int) -> None:
    """``base`` with files of this machine added until it unpacks to so many MiB."""
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


def seconds(log: str) -> dict[str, float]:
    lines = [(datetime.fromisoformat(match[1]), match[2]) for match in _LINE.finditer(log)]

    def begin(text: str) -> datetime:
        return next(when for when, line in lines if line.startswith(text))

    starts = [begin(text) for text in (*_PARTS.values(), _END)]
    return {name: (end - start).total_seconds() for name, (start, end) in zip(_PARTS, pairwise(starts), strict=True)}


if __name__ == "__main__":
    sys.exit(main())
