"""Seconds of guest time from /init to the hand-over to systemd, against a shell script that does nothing but mount.

Reference: busybox sh in the same kernel, which finds the root by its label, mounts it, looks for the flag file and
switches to it; the least that any initramfs must do. Both start the same unit in turns, in the same run.

    python -m benchmarks.boot [--rounds 5] [--workdir DIR]     DIR: a unit as `gprov lab lifecycle` leaves it, or none
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from gprov.apps.host.initramfs.cpio import archive, regular
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.lifecycle import STARTED
from gprov.apps.host.lab.machine import DirectKernel
from gprov.apps.host.lab.stage import HANDOVER
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec

SCRIPT = """#!/usr/bin/busybox sh
B=/usr/bin/busybox
$B mount -t proc proc /proc; $B mount -t sysfs sysfs /sys; $B mount -t devtmpfs dev /dev; $B mount -t tmpfs run /run
$B mount -o ro "$($B findfs LABEL=PRIMARY)" /newroot
[ -e /newroot/boot.normal ] || exec $B sh
read up rest < /proc/uptime
echo "GPROV-EVENT {\\"milestone\\": \\"init-started\\", \\"uptime\\": $up}"
echo "GPROV-EVENT {\\"milestone\\": \\"handover\\", \\"uptime\\": $up}"
for f in dev proc sys run; do $B mount --move /$f /newroot/$f; done
exec $B switch_root /newroot /usr/lib/systemd/systemd
"""
ARGUMENTS = ("console=ttyS0", "real_root=LABEL=PRIMARY", "PROVISION_VERBOSE=1", "PROVISION_KEY_WINDOW=0")
# The kernel's own clock, on a console that is not quiet.
STARTED_INIT = re.compile(r"\[ *([0-9.]+)\] Run /init as init process")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workdir", default=os.path.join(tempfile.gettempdir(), "gprov-bench-boot"))
    args = parser.parse_args()
    container = LabContainer()
    if not os.path.exists(os.path.join(args.workdir, "primary0.qcow2")):
        container.lab().lifecycle(args.workdir, VirtualUnitSpec())
    unit = VirtualUnit.open(args.workdir)
    overlay = Path(args.workdir, "reference.cpio")
    overlay.write_bytes(archive([regular("init", SCRIPT.encode(), 0o755)]))
    kernel = DirectKernel(container.products().normal_kernel, ARGUMENTS)
    ways = {"gprov": kernel, "busybox sh (reference)": replace(kernel, initramfs=str(overlay))}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(args.rounds):
        for name, way in ways.items():
            log = unit.serial_log(f"bench-{name.split()[0]}-{number}")
            result = container.stages().run(name, unit.machine().booting(way), log, STARTED)
            handover = result.uptime_at(HANDOVER)
            begun = STARTED_INIT.search(Path(log).read_text(errors="replace"))
            if handover is None or begun is None:
                print(f"{name}: did not get there: {result.reason}; see {log}", file=sys.stderr)
                return 3
            seconds[name].append(handover - float(begun[1]))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, values in seconds.items():
        print(f"{name:<24} /init to hand-over: median {medians[name]:.2f} s, {min(values):.2f}..{max(values):.2f} s")
    first, reference = medians.values()
    print(f"ratio gprov / reference: {first / reference:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
