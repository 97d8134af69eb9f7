"""Mounting, as findmnt sees it, and switching the root in a mount namespace of its own."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.linux.filesystem.mounts import LinuxMounts
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk, FileSystemKind
from gprov.domain.disk.primary_fstab import FstabFacts, FstabVolume, primary_fstab
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.formats.disk.fstab import render
from gprov.domain.formats.owner import Owner

MakeDisk = Callable[..., Disk]
Tool = Callable[..., str]


@pytest.fixture
def ext4(make_disk: MakeDisk, tool: Tool) -> Disk:
    disk = make_disk(64 * MIB)
    tool("mke2fs", "-q", "-t", "ext4", "-L", "PRIMARY", disk.node)
    return disk


def findmnt(tool: Tool, target: Path) -> dict[str, str]:
    (found,) = json.loads(tool("findmnt", "-J", "-o", "SOURCE,TARGET,FSTYPE,OPTIONS,MAJ:MIN", str(target)))[
        "filesystems"
    ]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("ro",),
        ("noexec", "relatime", "nosuid", "nodev"),
        ("auto", "noexec", "nofail", "discard", "x-test=1"),
        ("ro,noatime", "rw", "data=ordered", "errors=remount-ro"),
    ],
)
def test_options_are_in_effect(options: tuple[str, ...], ext4: Disk, mount_point: Path, tool: Tool) -> None:
    LinuxMounts().mount(ext4.node, str(mount_point), "ext4", options)
    found = findmnt(tool, mount_point)
    words = [word for option in options for word in option.split(",")]
    expected = {word for word in words if word not in ("auto", "nofail", "x-test=1", "data=ordered")}
    if "rw" in words:
        expected.discard("ro")
    assert expected <= set(found["options"].split(",")) | {"relatime"}
    assert ("ro" in found["options"].split(",")) == ("ro" in words and "rw" not in words)
    assert (found["source"], found["fstype"], found["maj:min"]) == (ext4.node, "ext4", str(ext4.device))


def test_our_table_is_that_of_findmnt(ext4: Disk, tmp_path: Path, tool: Tool) -> None:
    target = tmp_path / "a b\tc\\d#é"
    mounts = LinuxMounts()
    mounts.mount(ext4.node, str(target), "ext4", ["noexec"])  # makes the folder, too
    try:
        theirs = json.loads(tool("findmnt", "-J", "-l", "-o", "TARGET,FSTYPE,MAJ:MIN,FS-OPTIONS,VFS-OPTIONS"))[
            "filesystems"
        ]
        blocks = [one for one in theirs if not one["maj:min"].startswith("0:")]
        ours = mounts.mounted()
        assert [(str(one.device), one.target, one.kind) for one in ours] == [
            (one["maj:min"], one["target"], one["fstype"]) for one in blocks
        ]
        for mine, other in zip(ours, blocks, strict=True):
            assert mine.options == {*other["fs-options"].split(","), *other["vfs-options"].split(",")}
        (found,) = [one for one in ours if one.target == str(target)]
        assert found.device == ext4.device
        assert "noexec" in found.options
    finally:
        mounts.unmount(str(target))


def test_unmounting_keeps_written_data(ext4: Disk, mount_point: Path, tool: Tool) -> None:
    mounts = LinuxMounts()
    mounts.mount(ext4.node, str(mount_point), "ext4")
    (mount_point / "file").write_text("kept")
    mounts.unmount(str(mount_point))
    assert tool("debugfs", "-R", "cat /file", ext4.node) == "kept"
    assert not mount_point.is_mount()


def test_failures_name_the_device_and_the_reason(ext4: Disk, mount_point: Path, make_disk: MakeDisk) -> None:
    mounts, target = LinuxMounts(), str(mount_point)
    blank = make_disk(64 * MIB)
    with pytest.raises(DeviceFault, match="no valid superblock") as caught:
        mounts.mount(blank.node, target, "ext4")
    assert (caught.value.subject, caught.value.errno) == (blank.node, errno.EINVAL)
    with pytest.raises(DeviceFault, match="does not support this file system"):
        mounts.mount(ext4.node, target, "nosuchfs")
    with pytest.raises(DeviceMissing):
        mounts.mount("/dev/nosuchdisk", target, "ext4")
    with pytest.raises(DeviceFault, match="or an invalid mount option"):
        mounts.mount(ext4.node, target, "ext4", ["uid=0"])
    with pytest.raises(DeviceFault, match="nothing is mounted there"):
        mounts.unmount(target)


def test_a_busy_file_system_stays_mounted(ext4: Disk, mount_point: Path) -> None:
    mounts = LinuxMounts()
    mounts.mount(ext4.node, str(mount_point), "ext4")
    with (mount_point / "open").open("w"), pytest.raises(DeviceFault, match="busy") as caught:
        mounts.unmount(str(mount_point))
    assert caught.value.errno == errno.EBUSY
    assert mount_point.is_mount()


def test_libmount_accepts_our_fstab(tmp_path: Path, tool: Tool) -> None:
    facts = FstabFacts(
        root=FstabVolume("LABEL=PRI MARY", FileSystemKind.EXT4, ssd=True),
        recovery=FstabVolume("UUID=ed2d36e3-a3d9-408c-9255-897a010a783b", FileSystemKind.EXT3),
        esp=FstabVolume("LABEL=ESP", FileSystemKind.VFAT),
        boot=((FstabVolume("UUID=1234-ABCD", FileSystemKind.VFAT), "/mnt/boot #1\\x\ty"),),
        extra_options="uid=$u,sync",
    )
    entries = primary_fstab(facts, Owner(1000, 1000))
    path = tmp_path / "fstab"
    path.write_text(render(entries))
    columns = "SOURCE,TARGET,FSTYPE,OPTIONS,FREQ,PASSNO"
    found = json.loads(tool("findmnt", "--tab-file", str(path), "-J", "-l", "-o", columns))["filesystems"]
    assert [tuple(one.values()) for one in found] == [
        (entry.source, entry.target, entry.kind, ",".join(entry.options), entry.dump, entry.passno) for entry in entries
    ]


# The new root's init: a shell script, since the root holds nothing but what is bound into it.
INIT = """#!/bin/sh
# 9 is the folder that was the root before
printf '%s\\n' "name=$0" "arguments=$*" "library=$LD_LIBRARY_PATH" "kept=$KEPT" "cwd=$(pwd)"
printf 'left=%s\\n' "$(ls -A /proc/self/fd/9/ | tr '\\n' ' ')" "$(ls -A /proc/self/fd/9/mnt | tr '\\n' ' ')"
while read -r _ _ _ _ target _; do printf 'mount=%s\\n' "$target"; done < /proc/self/mountinfo
printf 'ignored=%s\\n' "$(grep SigIgn /proc/self/status)"
"""

# Builds an "initramfs" (tmpfs) with a new root inside it, makes it the root of this process, and switches.
SCRIPT = """
import ctypes, os, sys
from gprov.adapters.linux.ioctl import libc
from gprov.adapters.linux.filesystem.mounts import LinuxMounts
from gprov.domain.errors import GprovError
base, init, target = sys.argv[1:4]
if ctypes.CDLL(None).unshare(0x20000):
    raise SystemExit("unshare failed")
libc.mount("none", "/", flags=libc.MountFlag.PRIVATE | libc.MountFlag.REC)
libc.mount("ramfs", base, "tmpfs")
for name in ("dev", "proc", "sys", "run", "newroot", "mnt/kept", "etc/deep/er"):
    os.makedirs(f"{base}/{name}")
open(f"{base}/etc/deep/er/file", "w").close()
os.symlink("/newroot", f"{base}/link")
libc.mount("proc", f"{base}/proc", "proc")
libc.mount("/dev", f"{base}/dev", flags=libc.MountFlag.BIND)
libc.mount("run", f"{base}/run", "tmpfs")
libc.mount("kept", f"{base}/mnt/kept", "tmpfs")
open(f"{base}/mnt/kept/precious", "w").close()
root = f"{base}/newroot"
libc.mount("root", root, "tmpfs")
for name in ("bin", "lib", "lib64", "usr"):
    os.makedirs(f"{root}/{name}")
    libc.mount(f"/{name}", f"{root}/{name}", flags=libc.MountFlag.BIND)
os.makedirs(f"{root}/real")
with open(f"{root}/real/init", "w") as file:
    file.write(os.environ.pop("INIT_TEXT"))
os.chmod(f"{root}/real/init", 0o755)
open(f"{root}/real/plain", "w").close()
os.symlink("/real/init", f"{root}/init")  # right only inside the new root
os.chroot(base)
os.chdir("/")
os.dup2(os.open("/", os.O_PATH), 9)
os.set_inheritable(9, True)
try:
    LinuxMounts(arguments=("one", "two")).switch_root(target, init)
except GprovError as error:
    print("refused:", error)
    print("here:", sorted(os.listdir("/")), *(os.path.ismount(path) for path in ("/proc", "/run", "/newroot")))
"""


def switched(tmp_path: Path, init: str, target: str = "/newroot") -> list[str]:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    base = tmp_path / "initramfs"
    base.mkdir()
    environment = {**os.environ, "INIT_TEXT": INIT, "LD_LIBRARY_PATH": "/bundle", "_PYI_X": "1", "KEPT": "yes"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(base), init, target],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_switch_root_becomes_init_in_the_new_root(tmp_path: Path) -> None:
    lines = switched(tmp_path, "/init")
    facts = dict(line.split("=", 1) for line in reversed(lines))
    assert facts["name"] == "/init"
    assert facts["arguments"] == "one two"
    assert facts["library"] == ""
    assert facts["kept"] == "yes"
    assert facts["cwd"] == "/"
    mounts = [line.removeprefix("mount=") for line in lines if line.startswith("mount=")]
    assert {"/dev", "/proc", "/run", "/usr"} <= set(mounts)
    assert "/newroot" not in mounts
    # Python's own SIG_IGN for SIGPIPE (13) must not reach init.
    assert int(facts["ignored"].split()[1], 16) & 1 << 12 == 0


def test_switch_root_empties_the_initramfs_but_not_its_mounts(tmp_path: Path) -> None:
    left = [line.removeprefix("left=").split() for line in switched(tmp_path, "/init") if line.startswith("left=")]
    assert left == [["mnt"], ["kept"]]


@pytest.mark.parametrize(
    ("init", "target", "reason"),
    [
        ("/sbin/nosuch", "/newroot", "No such file"),
        ("/real/plain", "/newroot", "not an executable file"),
        ("/real", "/newroot", "not an executable file"),
        ("/init", "/etc", "nothing is mounted there"),
        ("/init", "/nosuch", "no such folder"),
        ("/init", "/run", "into itself"),
        ("/init", "/", "into itself"),
    ],
)
def test_switch_root_refuses_and_changes_nothing(tmp_path: Path, init: str, target: str, reason: str) -> None:
    refusal, here = switched(tmp_path, init, target)
    assert refusal.startswith("refused:")
    assert reason in refusal
    assert here == "here: ['dev', 'etc', 'link', 'mnt', 'newroot', 'proc', 'run', 'sys'] True True True"
