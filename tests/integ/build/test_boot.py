"""The kernel in a virtual machine: what happens when /init works, and above all when it does not.

Each case boots the same kernel; an initramfs given by the boot loader is unpacked over the one inside.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.builds import Builder
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.cpio import archive, regular
from gprov.apps.host.initramfs.kernel import version_text
from gprov.apps.host.initramfs.kernel_settings import shipped_choice
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.spec import Flavor

PROCESSES = SystemProcesses()
CHECKOUT = Path(__file__).parents[3]
NUMBER = 77
DEADLINE = 240.0  # seconds; 30 of them are the pause before a reboot
FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd"

WORKS = """#!/usr/bin/python3.11 -ISB
import os
print("arguments:", os.environ["real_root"], os.environ["PROVISION_VERBOSE"])
os.system("/usr/bin/busybox mount -t sysfs sys /sys")
print("efi:", os.path.isdir("/sys/firmware/efi"))
os.system("/usr/bin/busybox poweroff -f")
"""

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs qemu-system-x86"),
]


@pytest.fixture(scope="module")
def kernel() -> str:
    builds = Builder(PROCESSES, Cache(default_root(os.environ)), BuildProgress(sys.stderr))
    initramfs = builds.initramfs(str(CHECKOUT / "buildroot/initramfs.toml"), Flavor.NORMAL, level=9)
    choice = shipped_choice(str(CHECKOUT / "buildroot/kernel"))
    return builds.kernel(choice, initramfs, NUMBER, os.cpu_count() or 1).files.image


def boot(kernel: str, init: str, folder: Path, *machine: str) -> str:
    """Console output until the machine turns itself off or restarts."""
    overlay = folder / "overlay.cpio"
    overlay.write_bytes(archive([regular("init", init.encode(), 0o755)]))
    command = (
        "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "512", "-smp", "2", "-nographic", "-no-reboot",
        "-nodefaults", "-serial", "stdio", "-kernel", kernel, "-initrd", str(overlay),
        "-append", "console=ttyS0 real_root=LABEL=PRIMARY PROVISION_VERBOSE=1 no_timer_check", *machine,
    )  # fmt: skip
    return PROCESSES.run(command, timeout=DEADLINE).output.decode(errors="replace")


def test_version_shows_the_build_number(kernel: str) -> None:
    assert f" #{NUMBER} SMP" in version_text(Path(kernel).read_bytes())


def test_arguments_reach_init(kernel: str, tmp_path: Path) -> None:
    console = boot(kernel, WORKS, tmp_path)
    assert "arguments: LABEL=PRIMARY 1" in console
    assert "efi: False" in console


@pytest.mark.skipif(not os.path.exists(FIRMWARE), reason="needs ovmf")
def test_uefi(kernel: str, tmp_path: Path) -> None:
    shutil.copy(VARIABLES, tmp_path / "vars.fd")
    code = f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE}"
    variables = f"if=pflash,format=raw,unit=1,file={tmp_path}/vars.fd"
    console = boot(kernel, WORKS, tmp_path, "-drive", code, "-drive", variables)
    assert "efi: True" in console


@pytest.mark.parametrize(
    ("init", "trace"),
    [
        ("#!/usr/bin/python3.11 -ISB\nimport nothing_of_that_name\n", "Attempted to kill init"),
        ("#!/usr/bin/python2\n", "/init could not be started; rebooting"),
        ("#!/usr/bin/python3.11 -ISB\nimport ctypes\nctypes.string_at(0)\n", "Attempted to kill init"),
    ],
    ids=["exception", "no interpreter", "segmentation fault"],
)
def test_unit_restarts_when_init_is_broken(kernel: str, tmp_path: Path, init: str, trace: str) -> None:
    # The machine ends at its restart (-no-reboot); if it sat dead instead, the deadline would raise.
    assert trace in boot(kernel, init, tmp_path)
