"""Loop devices over sparse files: disks that any root may break. No test touches another device. And guests that run
programs of this machine on the kernel of units, with disks of their own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gprov.adapters.linux.block import SysfsBlockDevices
from gprov.adapters.linux.process import SystemProcesses
from gprov.apps.build.builds import Builds, Initramfs
from gprov.apps.build.cache import Cache, default_root
from gprov.apps.build.cpio import archive, device_node, folder, regular
from gprov.apps.build.progress import Progress
from gprov.domain.disk.model import Disk

MakeDisk = Callable[..., Disk]
PROCESSES = SystemProcesses()
BUSYBOX = Path("/usr/bin/busybox")
CHECKOUT = Path(__file__).parents[3]
DONE = "GUEST-STATUS "

INIT = """#!/busybox sh
bb=/busybox
$bb mkdir -p /proc /sys /dev /mnt
$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
$bb mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,msize=262144,ro host /mnt
for folder in proc sys dev; do $bb mount --bind /$folder /mnt/$folder; done
$bb mount -t tmpfs -o size=1500m tmp /mnt/tmp
$bb mount -t tmpfs run /mnt/run
$bb chroot /mnt /bin/sh -c {command}
echo "{done}$?"
$bb poweroff -f
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("vm") is None:
            item.add_marker(pytest.mark.device)


@pytest.fixture
def blocks() -> SysfsBlockDevices:
    return SysfsBlockDevices(include_loop=True)


@pytest.fixture
def make_disk(tmp_path: Path, blocks: SysfsBlockDevices) -> Iterator[MakeDisk]:
    """``make_disk(size, sector=512)`` → a blank disk of so many bytes; gone after the test."""
    with ExitStack() as stack:

        def make(size: int, sector: int = 512) -> Disk:
            if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
                pytest.skip("needs root and loop devices")
            image = tmp_path / f"disk{len(list(tmp_path.glob('disk*')))}"
            with image.open("wb") as file:
                file.truncate(size)
            node = run("losetup", "--find", "--show", "--sector-size", str(sector), str(image)).strip()
            stack.callback(_detach, node)
            return next(disk for disk in blocks.disks() if disk.node == node)

        yield make


@pytest.fixture
def mount_point(tmp_path: Path) -> Iterator[Path]:
    """A folder; whatever is mounted there is unmounted after the test."""
    point = tmp_path / "mounted"
    point.mkdir()
    yield point
    while point.is_mount():
        subprocess.run(["umount", str(point)], check=True)


def run(*argv: str, stdin: str = "") -> str:
    """An independent tool; its failure fails the test."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def _detach(node: str) -> None:
    subprocess.run(["partx", "--delete", node], capture_output=True)
    run("losetup", "--detach", node)
    # Detaching is put off while somebody (a probe by another process) still holds the device.
    backing = Path(f"/sys/class/block/{Path(node).name}/loop/backing_file")
    end = time.monotonic() + 10
    while backing.exists() and time.monotonic() < end:
        os.sync()


@pytest.fixture
def tool() -> Callable[..., str]:
    """``tool(program, argument, …, stdin="")`` → its output."""
    return run


Guest = Callable[..., str]


@pytest.fixture(scope="session")
def kernel() -> str:
    """As it is built for units, but with nothing inside: it stays in the cache whatever changes in our code."""
    builds = Builds(PROCESSES, Cache(default_root(os.environ)), Progress(sys.stderr))
    content = archive([regular("busybox", BUSYBOX.read_bytes(), 0o755)])
    initramfs = Initramfs(content, len(content), {})
    return builds.kernel(str(CHECKOUT / "buildroot/kernel/x86_64.config"), initramfs, 1, os.cpu_count() or 1)


@pytest.fixture
def guest(kernel: str, tmp_path: Path, guest_disks: list[str]) -> Guest:
    """``guest("program", "argument", …, seconds=…)`` → what the console said. A bad exit status fails the test.

    ``guest_disks``: QEMU's arguments for the guest's disks, a fixture of each module that uses this.
    """

    def run(*command: str, seconds: float) -> str:
        words = (
            f"export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH={CHECKOUT} PYTHONDONTWRITEBYTECODE=1 HOME=/tmp; "
            f"cd {CHECKOUT}; "
        )
        init = INIT.format(command=shlex.quote(words + shlex.join(command)), done=DONE)
        overlay = tmp_path / "overlay.cpio"
        console_node = device_node("dev/console", "c", 5, 1)
        overlay.write_bytes(archive([folder("dev"), console_node, regular("guest-init", init.encode(), 0o755)]))
        console = PROCESSES.run((*machine(kernel, overlay), *guest_disks), timeout=seconds).output.decode(
            errors="replace"
        )
        assert f"{DONE}0" in console, console[-8000:]
        return console

    return run


def machine(kernel: str, overlay: Path) -> tuple[str, ...]:
    return (
        "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "3072", "-smp", "2",
        "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
        "-kernel", kernel, "-initrd", str(overlay),
        "-append", "console=ttyS0 quiet loglevel=1 rdinit=/guest-init panic=-1",
        "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
    )  # fmt: skip
