"""Guests that run programs of this machine on the kernel of units, with this machine's files (read-only) as root."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.builds import Builder, Initramfs
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.cpio import archive, device_node, folder, regular
from gprov.apps.host.initramfs.kernel_settings import shipped_choice
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.lab.argv import Accelerator, processor
from gprov.apps.host.lab.runner import FIRMWARE_CODE, FIRMWARE_VARIABLES

Guest = Callable[..., str]
PROCESSES = SystemProcesses()
BUSYBOX = Path("/usr/bin/busybox")
CHECKOUT = Path(__file__).parents[2]
DONE = "GUEST-STATUS "

INIT = """#!/busybox sh
bb=/busybox
$bb mkdir -p /proc /sys /dev /mnt
$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
$bb mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,msize=262144,ro host /mnt
for folder in proc sys dev; do $bb mount --bind /$folder /mnt/$folder; done
[ ! -d /sys/firmware/efi ] || $bb mount -t efivarfs efivarfs /mnt/sys/firmware/efi/efivars
$bb mount -t tmpfs -o size=1500m tmp /mnt/tmp
$bb mount -t tmpfs run /mnt/run
$bb chroot /mnt /bin/sh -c {command}
echo "{done}$?"
$bb poweroff -f
"""


@pytest.fixture(scope="session")
def guest_kernel() -> str:
    """As it is built for units, but with nothing inside: it stays in the cache whatever changes in our code."""
    builds = Builder(PROCESSES, Cache(default_root(os.environ)), BuildProgress(sys.stderr))
    content = archive([regular("busybox", BUSYBOX.read_bytes(), 0o755)])
    initramfs = Initramfs(content, len(content), ())
    choice = shipped_choice(str(CHECKOUT / "buildroot/kernel"))
    return builds.kernel(choice, initramfs, 1, os.cpu_count() or 1).files.image


@pytest.fixture
def guest_disks() -> list[str]:
    """QEMU's arguments for the guest's disks; for modules to override."""
    return []


@pytest.fixture
def guest(guest_kernel: str, tmp_path: Path, guest_disks: list[str]) -> Guest:
    """``guest("program", "argument", …, seconds=…, uefi=False)`` → what the console said. A bad exit status fails the
    test."""

    def run(*command: str, seconds: float, uefi: bool = False) -> str:
        words = (
            f"export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH={CHECKOUT} PYTHONDONTWRITEBYTECODE=1 HOME=/tmp; "
            f"cd {CHECKOUT}; "
        )
        init = INIT.format(command=shlex.quote(words + shlex.join(command)), done=DONE)
        overlay = tmp_path / "overlay.cpio"
        console_node = device_node("dev/console", "c", 5, 1)
        overlay.write_bytes(archive([folder("dev"), console_node, regular("guest-init", init.encode(), 0o755)]))
        argv = (*machine(guest_kernel, overlay), *(firmware(tmp_path) if uefi else ()), *guest_disks)
        console = PROCESSES.run(argv, timeout=seconds).output.decode(errors="replace")
        assert f"{DONE}0" in console, console[-8000:]
        return console

    return run


def machine(kernel: str, overlay: Path) -> tuple[str, ...]:
    return (
        "qemu-system-x86_64", "-machine", "q35,smm=off", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "3072",
        "-cpu", processor(Accelerator.TCG),
        "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
        "-kernel", kernel, "-initrd", str(overlay),
        "-append", "console=ttyS0 quiet loglevel=1 rdinit=/guest-init panic=-1 no_timer_check",
        "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
    )  # fmt: skip


def firmware(folder: Path) -> tuple[str, ...]:
    """OVMF, with variables of the guest's own."""
    variables = folder / "variables.fd"
    shutil.copyfile(FIRMWARE_VARIABLES, variables)
    return (
        *("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE_CODE}"),
        *("-drive", f"if=pflash,format=raw,unit=1,file={variables}"),
    )
