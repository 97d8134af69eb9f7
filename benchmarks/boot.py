"""From /init to the first line of the system, of gprov and of what else starts a system: who takes how long?

gprov's kernel starts with its own initramfs, and with a shell script of busybox that finds the root by its label,
mounts it and switches to it: the least that any initramfs must do. Debian's kernel starts with the archives of Debian's
tools. All start the same unit in turns, in the same run. One line of the kernel's log is the beginning, another the
end: "Run /init as init process", and the first line of the systemd on PRIMARY, which is told to power off at once.

    python -m benchmarks.boot [--rounds 5] [--instructions] [--workdir DIR] [--only TEXT]

DIR is a unit as `gprov lab lifecycle` leaves it, or none. With --instructions the machine's clock counts instructions,
a nanosecond each, so that other work of the host has no influence, except on waits for the disk; with one processor.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.distribution import distribution
from gprov.apps.host.initramfs.cpio import archive, regular
from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.lifecycle import STARTED
from gprov.apps.host.lab.machine import NO_TIMER_CHECK, DirectKernel
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec

SCRIPT = """#!/usr/bin/busybox sh
B=/usr/bin/busybox
$B mount -t proc proc /proc; $B mount -t sysfs sysfs /sys; $B mount -t devtmpfs dev /dev; $B mount -t tmpfs run /run
$B mount -o ro "$($B findfs LABEL=PRIMARY)" /newroot
[ -e /newroot/boot.normal ] || exec $B sh
for f in dev proc sys run; do $B mount --move /$f /newroot/$f; done
exec $B switch_root /newroot /usr/lib/systemd/systemd
"""
END = "systemd.unit=poweroff.target"
OF_GPROV = ("real_root=LABEL=PRIMARY", "PROVISION_KEY_WINDOW=0", END)
OF_OTHERS = ("root=LABEL=PRIMARY", "ro", END)
TIMED = ("console=ttyS0", "loglevel=7")
# The serial line is no console then: what writes to it is counted.
COUNTED = ("loglevel=7", "earlyprintk=ttyS0,115200,keep", NO_TIMER_CHECK)
BEGUN = re.compile(r"\[ *([0-9.]+)\] Run /init as init process")
# With dracut another systemd was in the initramfs before: the last one counts.
ENDED = re.compile(r"\[ *([0-9.]+)\] systemd\[1\]: systemd [0-9]+")


# Host seconds for a start: an emulated processor that counts is slow, above all on a busy machine.
_SECONDS = 1200.0


@dataclass
class Bench:
    container: LabContainer
    unit: VirtualUnit
    pristine: Path
    instructions: bool

    def seconds(self, name: str, kernel: DirectKernel) -> float:
        """Of one start, on the machine's clock. Every start finds the same disk."""
        shutil.copyfile(self.pristine, self.pristine.with_suffix(".qcow2"))
        shown = replace(kernel, arguments=(*kernel.arguments, *(COUNTED if self.instructions else TIMED)))
        machine = self.unit.machine().booting(shown)
        if self.instructions:
            machine = replace(machine, instruction_clock=0, cpus=1)
        log = self.unit.serial_log(f"bench-{re.sub('[^a-z]+', '-', name.lower())}")
        result = self.container.stages().run(
            name, machine, log, replace(STARTED, milestones=(), seconds=_SECONDS, verdict=None)
        )
        text = Path(log).read_text(errors="replace")
        begun, ended = BEGUN.search(text), ENDED.findall(text)
        if begun is None or not ended:
            raise SystemExit(f"{name}: did not get there: {result.reason}; see {log}")
        return float(ended[-1]) - float(begun[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="all programs in turn, so many times")
    parser.add_argument("--instructions", action="store_true", help="count instructions, not seconds")
    parser.add_argument("--workdir", default=os.path.join(tempfile.gettempdir(), "gprov-bench-boot"), help="for units")
    parser.add_argument("--only", default="", help="measure those whose name contains this text")
    args = parser.parse_args()
    container, folder = LabContainer(), Path(args.workdir)
    if not (folder / "primary0.qcow2").exists():
        container.lab().lifecycle(args.workdir, VirtualUnitSpec())
    pristine = folder / "primary0.pristine"
    if not pristine.exists():
        shutil.copyfile(folder / "primary0.qcow2", pristine)
    bench = Bench(container, VirtualUnit.open(args.workdir), pristine, args.instructions)
    seconds: dict[str, list[float]] = {}
    chosen = {name: kernel for name, kernel in ways(container, folder).items() if args.only in name}
    for _ in range(args.rounds):
        for name, kernel in chosen.items():
            seconds.setdefault(name, []).append(bench.seconds(name, kernel))
    print_table(seconds, "million instructions" if args.instructions else "s", 1000 if args.instructions else 1)
    return 0


def ways(container: LabContainer, folder: Path) -> Mapping[str, DirectKernel]:
    """What starts the unit, by name; gprov first."""
    least = folder / "least.cpio"
    least.write_bytes(archive([regular("init", SCRIPT.encode(), 0o755)]))
    own = DirectKernel(container.builder().kernel(Flavor.NORMAL), OF_GPROV)
    debian = distribution(folder / "distribution")
    made = {name: DirectKernel(debian.kernel, OF_OTHERS, file) for name, file in debian.archives.items()}
    return {"gprov": own, "busybox sh": replace(own, initramfs=str(least))} | made


def print_table(seconds: Mapping[str, list[float]], unit: str, scale: int) -> None:
    reference = statistics.median(next(iter(seconds.values())))
    print(
        f"| /init to the system's first line | {unit} | lowest, highest | gprov in relation to it |\n|---|---|---|---|"
    )
    for name, values in seconds.items():
        median = statistics.median(values)
        shown = (f"{value * scale:.{0 if scale > 1 else 2}f}" for value in (median, min(values), max(values)))
        print("| {} | {} | {} to {} | {:.2f} |".format(name, *shown, reference / median))


if __name__ == "__main__":
    sys.exit(main())
