"""How long does a kernel take to its first process, and how much memory does it hold? Several kernels, in turn.

Each starts in a virtual machine (QEMU, TCG) with an /init that reads /proc and turns the machine off. The machine's
clock counts instructions, a nanosecond each, so that other work of the host has no influence: the kernel's own time
from its first clock to /init is that of a processor that completes a thousand million instructions per second. What
the kernel does before, above all unpacking itself, is in the host's time alone.

    python -m benchmarks.kernel_start [--rounds 2] KERNEL KERNEL…
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.cpio import archive, folder, regular

PROCESSES = SystemProcesses()
BUSYBOX = Path("/usr/bin/busybox")
_SECONDS = 300.0
_INIT = """#!/busybox sh
/busybox mount -t proc proc /proc
read up idle < /proc/uptime
echo "SAMPLE $up $(/busybox awk '/MemAvailable/ { print $2 }' /proc/meminfo)"
/busybox poweroff -f
"""


@dataclass(frozen=True)
class Sample:
    """Seconds of the kernel and of the host; ``available``: MB of 1024 that are left for programs."""

    kernel: float
    host: float
    available: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2, help="starts of each")
    parser.add_argument("kernels", nargs="+", metavar="KERNEL")
    args = parser.parse_args()
    samples: dict[str, list[Sample]] = {kernel: [] for kernel in args.kernels}
    with tempfile.TemporaryDirectory() as scratch:
        overlay = Path(scratch, "overlay.cpio")
        nodes = [regular("init", _INIT.encode(), 0o755), regular("busybox", BUSYBOX.read_bytes(), 0o755)]
        overlay.write_bytes(archive([*nodes, folder("proc")]))
        for _ in range(args.rounds):
            for kernel, found in samples.items():
                found.append(start(kernel, str(overlay)))
    for kernel, found in samples.items():
        shown = ", ".join(f"{each.kernel:.2f}" for each in found)
        middle = statistics.median(each.kernel for each in found), statistics.median(each.host for each in found)
        memory = statistics.median(each.available for each in found)
        print(f"{kernel}: kernel {middle[0]:.2f} s ({shown}), host {middle[1]:.1f} s, {memory:.0f} MB available")


def start(kernel: str, overlay: str) -> Sample:
    command = (
        "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "1024", "-smp", "1", "-nographic", "-no-reboot",
        "-nodefaults", "-serial", "stdio", "-kernel", kernel, "-initrd", overlay,
        "-icount", "shift=0,sleep=off", "-append", "console=ttyS0 quiet no_timer_check",
    )  # fmt: skip
    begin = time.monotonic()
    console = PROCESSES.run(command, timeout=_SECONDS).output.decode(errors="replace")
    elapsed = time.monotonic() - begin
    found = re.search(r"SAMPLE ([0-9.]+) ([0-9]+)", console)  # the firmware leaves its last line open
    if found is None:
        raise SystemExit(f"{kernel} did not start: {console}")
    return Sample(float(found[1]), elapsed, int(found[2]) / 1024)


if __name__ == "__main__":
    main()
