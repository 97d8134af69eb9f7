"""The kernel with the fragments ``server`` and ``optional`` and with modules, compiled and started in a machine.

It is compiled whole on a fresh machine, which takes as long as the base kernel.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli.main import main
from gprov.apps.host.initramfs.cpio import Node, archive, folder, regular
from gprov.apps.host.initramfs.kernel import version_text

DEADLINE = 300.0
BUSYBOX = Path("/usr/bin/busybox")
PROBE = """#!/bin/sh
B=/busybox
$B mount -t proc proc /proc; $B mount -t sysfs sys /sys; $B mount -t securityfs none /sys/kernel/security
echo "release: $($B uname -r)"
echo "lsm: $($B cat /sys/kernel/security/lsm)"
echo "overlay: $($B grep -c overlay /proc/filesystems)"
echo "xfs: $($B grep -c xfs /proc/filesystems)"
echo "before: $($B grep -c btrfs /proc/filesystems)"
$B modprobe btrfs; echo "modprobe: $?"
echo "after: $($B grep -c btrfs /proc/filesystems)"
echo "firmware: $($B cat /lib/firmware/acme/nic.fw)"
$B insmod /foreign.ko; echo "foreign: $?"
$B zcat /proc/config.gz | $B grep -E '^CONFIG_(WIREGUARD|KVM_INTEL|BPF_JIT)='
$B poweroff -f
"""

pytestmark = [
    pytest.mark.vm,
    pytest.mark.nightly,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs qemu-system-x86"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the kernel, and with the archive for the image unpacked in ``root``."""
    place = tmp_path_factory.mktemp("server")
    firmware = place / "firmware/acme"
    firmware.mkdir(parents=True)
    (firmware / "nic.fw").write_text("FIRMWARE")
    words = ["build", "kernel", "--flavor", "normal", "--level", "9", "--modules", "--firmware", f"{firmware.parent}/"]
    words += ["--fragment", "server", "--fragment", "optional"]
    assert main([*words, "--output", str(place / "kernel"), "--system-tree", str(place / "system.tar.zst")]) == 0
    root = place / "root"
    (root / "usr/lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    subprocess.run(["tar", "--zstd", "-xf", str(place / "system.tar.zst"), "-C", str(root)], check=True)
    return place


def module_folder(built: Path) -> Path:
    [found] = (built / "root/lib/modules").iterdir()
    return found


def test_every_module_names_the_release_of_the_kernel(built: Path) -> None:
    """As modinfo reads it. depmod finds no symbol that neither kernel nor modules have."""
    modules = sorted(module_folder(built).rglob("*.ko"))
    assert len(modules) > 50
    release = version_text((built / "kernel").read_bytes()).partition(" ")[0]
    assert module_folder(built).name == release
    for path in modules:
        shown = subprocess.run(["modinfo", "-F", "vermagic", str(path)], capture_output=True, check=True, text=True)
        assert shown.stdout.split()[0] == release, path
    command = ["depmod", "-n", "-e", "-b", str(built / "root"), release]
    indexed = subprocess.run(command, capture_output=True, check=True, text=True)
    assert "unknown symbol" not in indexed.stderr


def test_the_image_gets_the_firmware_too(built: Path) -> None:
    assert (built / "root/lib/firmware/acme/nic.fw").read_text() == "FIRMWARE"


def test_modules_of_this_kernel_are_loaded_and_no_others(built: Path, tmp_path: Path) -> None:
    release = module_folder(built).name
    [btrfs] = module_folder(built).rglob("btrfs.ko")
    another = btrfs.read_bytes().replace(release.encode(), release[:-1].encode() + b"x")
    nodes: list[Node] = [regular("init", PROBE.encode(), 0o755), regular("busybox", BUSYBOX.read_bytes(), 0o755)]
    parents = ("usr", "usr/lib", "usr/lib/modules", f"usr/lib/modules/{release}")
    nodes += [folder(name) for name in ("proc", "sys", *parents)]
    nodes += [regular("foreign.ko", another)]
    for path in sorted(module_folder(built).rglob("*")):
        target = f"usr/lib/{path.relative_to(built / 'root/lib').as_posix()}"
        nodes.append(folder(target) if path.is_dir() else regular(target, path.read_bytes()))
    overlay = tmp_path / "overlay.cpio"
    overlay.write_bytes(archive(nodes))
    command = (
        "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "1024", "-smp", "2", "-nographic", "-no-reboot",
        "-nodefaults", "-serial", "stdio", "-kernel", str(built / "kernel"), "-initrd", str(overlay),
        "-append", "console=ttyS0 no_timer_check",
    )  # fmt: skip
    console = SystemProcesses().run(command, timeout=DEADLINE).output.decode(errors="replace").replace("\r", "")
    lines = console.splitlines()
    assert f"release: {release}" in lines, console
    assert "lsm: capability,landlock,yama,apparmor" in lines
    for line in ("overlay: 1", "xfs: 1", "before: 0", "modprobe: 0", "after: 1", "firmware: FIRMWARE"):
        assert line in lines, console
    assert "foreign: 0" not in lines
    assert f"version magic '{release[:-1]}x" in console
    for symbol in ("WIREGUARD", "KVM_INTEL", "BPF_JIT"):
        assert f"CONFIG_{symbol}=y" in lines
