"""The archive of modules and firmware for the root of an image, as tar sees it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.cache import Cache
from gprov.apps.host.initramfs.firmware import FirmwareFile
from gprov.apps.host.initramfs.system_tree import write_system_tree


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """Made at another time, with permissions of another umask."""
    root = tmp_path / "modules"
    folder = root / "usr/lib/modules/6.1-gprov.7.a"
    (folder / "kernel").mkdir(parents=True, mode=0o700)
    for name in ("modules.dep", "kernel/b.ko", "kernel/a.ko"):
        (folder / name).write_text(name)
        (folder / name).chmod(0o600)
    return root


def listing(archive: Path) -> list[str]:
    out = subprocess.run(["tar", "--zstd", "-tvf", str(archive)], capture_output=True, check=True, text=True).stdout
    return [" ".join(line.split()[:2] + line.split()[5:]) for line in out.splitlines()]


def test_content_and_same_bytes(modules: Path, tmp_path: Path) -> None:
    (tmp_path / "nic.fw").write_bytes(b"firmware")
    firmware = [FirmwareFile("usr/lib/firmware/acme/nic.fw", str(tmp_path / "nic.fw"))]
    made = []
    for number in range(2):
        target = tmp_path / f"{number}.tar.zst"
        write_system_tree(SystemProcesses(), Cache(str(tmp_path / "cache")), str(modules), firmware, str(target))
        os.utime(modules / "usr/lib/modules/6.1-gprov.7.a/modules.dep", (number, number))
        made.append(target.read_bytes())
    assert made[0] == made[1]
    assert listing(tmp_path / "0.tar.zst") == [
        "drwxr-xr-x 0/0 usr/lib/firmware/",
        "drwxr-xr-x 0/0 usr/lib/firmware/acme/",
        "-rw-r--r-- 0/0 usr/lib/firmware/acme/nic.fw",
        "drwxr-xr-x 0/0 usr/lib/modules/",
        "drwxr-xr-x 0/0 usr/lib/modules/6.1-gprov.7.a/",
        "drwxr-xr-x 0/0 usr/lib/modules/6.1-gprov.7.a/kernel/",
        "-rw-r--r-- 0/0 usr/lib/modules/6.1-gprov.7.a/kernel/a.ko",
        "-rw-r--r-- 0/0 usr/lib/modules/6.1-gprov.7.a/kernel/b.ko",
        "-rw-r--r-- 0/0 usr/lib/modules/6.1-gprov.7.a/modules.dep",
    ]


def test_it_unpacks_into_a_root_with_merged_usr(modules: Path, tmp_path: Path) -> None:
    target, root = tmp_path / "tree.tar.zst", tmp_path / "root"
    write_system_tree(SystemProcesses(), Cache(str(tmp_path / "cache")), str(modules), [], str(target))
    (root / "usr/lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    subprocess.run(["tar", "--zstd", "-xf", str(target), "-C", str(root)], check=True)
    assert (root / "lib").is_symlink()
    assert (root / "lib/modules/6.1-gprov.7.a/modules.dep").read_text() == "modules.dep"
