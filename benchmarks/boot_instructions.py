"""Instructions of a start of a unit without console and display, from /init to the hand-over to its system.

QEMU counts them (Machine.instruction_clock), so that other work of the host has no influence: differences of one in a
hundred between two versions are differences of the versions. Reference: the first of the initramfs archives that are
given, as `gprov build initramfs` of another version makes them; without any, only the present one is measured.

    python -m benchmarks.boot_instructions [--rounds 2] [--workdir DIR] [NAME=INITRAMFS ...]
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

from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import STARTED, Lab
from gprov.apps.host.lab.machine import NO_TIMER_CHECK, DirectKernel
from gprov.apps.host.lab.unit import VirtualUnit

# Kernel messages, and with them those of /init, go to the serial line, which is no console then.
ARGUMENTS = ("real_root=LABEL=PRIMARY", "loglevel=8", "earlyprintk=ttyS0,115200,keep", NO_TIMER_CHECK)
BEGUN = re.compile(r"\[ *([0-9.]+)\] Run /init as init process")
HANDED_OVER = re.compile(r"\[ *([0-9.]+)\] gprov: milestone handover")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="starts of each")
    parser.add_argument(
        "--workdir", default=os.path.join(tempfile.gettempdir(), "gprov-bench-instructions"), help="for units"
    )
    parser.add_argument("initramfs", nargs="*", metavar="NAME=INITRAMFS", default=["present="])
    args = parser.parse_args()
    container = LabContainer()
    if not os.path.exists(os.path.join(args.workdir, "primary0.qcow2")):
        Lab(container.processes(), container.stages(), container.small_products).lifecycle(
            args.workdir, unit_spec("small")
        )
    unit = VirtualUnit.open(args.workdir)
    kernel = DirectKernel(container.builder().kernel(Flavor.NORMAL), ARGUMENTS)
    millions: dict[str, list[float]] = {}
    for number in range(args.rounds):
        for name, _, initramfs in (each.partition("=") for each in args.initramfs):
            machine = unit.machine().booting(replace(kernel, initramfs=initramfs))
            log = unit.serial_log(f"bench-{name}-{number}")
            expected = replace(STARTED, milestones=())
            result = container.stages().run(name, replace(machine, instruction_clock=0, cpus=1), log, expected)
            text = Path(log).read_text(errors="replace")
            begun, handed_over = BEGUN.search(text), HANDED_OVER.search(text)
            if begun is None or handed_over is None:
                print(f"{name}: did not get there: {result.reason}; see {log}", file=sys.stderr)
                return 3
            # One instruction is one nanosecond.
            millions.setdefault(name, []).append((float(handed_over[1]) - float(begun[1])) * 1000)
    reference = statistics.median(next(iter(millions.values())))
    for name, values in millions.items():
        median = statistics.median(values)
        print(f"{name:<16} {median:.1f} million instructions, {min(values):.1f}..{max(values):.1f}, ", end="")
        print(f"{median - reference:+.1f} million against the reference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
