"""Searching real volumes: what is found, that nothing stays mounted, and what a hostile volume can do.

The kernels of build machines often lack FAT, exFAT and NTFS: these are searched with the kernel of units, in
tests/integ/vm/test_emergency.py.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.linux.filesystem.media import LinuxMediaSearch
from gprov.adapters.linux.filesystem.mounts import LinuxMounts
from gprov.adapters.linux.system.forked_child import ForkedChild
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.emergency.media import MEDIA_MOUNTS, MOST_FILES, MOST_NAMES, START_BYTES, MediaContents
from gprov.ports.media import MediaTask

MakeDisk = Callable[..., Disk]
Tool = Callable[..., str]
PREFIX = "EmergencyFile_"


def mounted_by_kernel(kind: str) -> bool:
    return any(line.split()[-1] == kind for line in Path("/proc/filesystems").read_text().splitlines() if line.strip())


def result(task: MediaTask, seconds: float = 20.0) -> MediaContents:
    end = time.monotonic() + seconds
    while (found := task.poll()) is None:
        assert time.monotonic() < end, "the search does not end"
        os.sched_yield()
    return found


def fill(disk: Disk, kind: str, folder: Path, files: dict[str, bytes]) -> None:
    LinuxMounts().mount(disk.node, str(folder), MEDIA_MOUNTS[kind].kind)
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
    finally:
        LinuxMounts().unmount(str(folder))
    wait_until_free(disk)


def wait_until_free(disk: Disk) -> None:
    """A mount namespace that another test has made meanwhile holds a copy of the mount until it ends."""
    end = time.monotonic() + 60
    while True:
        try:
            os.close(os.open(disk.node, os.O_RDONLY | os.O_EXCL))
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def search(mount_point: Path) -> LinuxMediaSearch:
    return LinuxMediaSearch(str(mount_point))


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("ext2", ("mke2fs", "-q", "-t", "ext2")),
        ("ext3", ("mke2fs", "-q", "-t", "ext3")),
        ("ext4", ("mke2fs", "-q", "-t", "ext4")),
        ("vfat", ("mkfs.vfat",)),
        ("exfat", ("mkfs.exfat",)),
        ("ntfs", ("mkfs.ntfs", "-q", "-F")),
    ],
)
def test_files_are_found_and_nothing_stays_mounted(
    kind: str, make: tuple[str, ...], make_disk: MakeDisk, tool: Tool, mount_point: Path, search: LinuxMediaSearch
) -> None:
    if not mounted_by_kernel(MEDIA_MOUNTS[kind].kind):
        pytest.skip(f"this kernel has no {kind}")
    disk = make_disk(64 * MIB)
    tool(*make, disk.node)
    content = os.urandom(2 * START_BYTES)
    fill(disk, kind, mount_point, {f"{PREFIX}a.upd": content, "emergencyfile_b": b"{}", "other": b"x"})
    before = Path(disk.node).read_bytes()

    found = result(search.start(disk.node, kind, PREFIX))
    assert found.problem == ""
    assert {(file.name, file.size, file.start) for file in found.files} == {
        (f"{PREFIX}a.upd", len(content), content[:START_BYTES]),
        ("emergencyfile_b", 2, b"{}"),
    }
    assert disk.node not in Path("/proc/self/mounts").read_text()
    assert not any(mount_point.iterdir())
    assert Path(disk.node).read_bytes() == before


def test_a_journal_is_not_replayed(
    make_disk: MakeDisk, tool: Tool, mount_point: Path, search: LinuxMediaSearch
) -> None:
    """A volume that was not unmounted needs recovery; its first byte stays as it is."""
    disk = make_disk(64 * MIB)
    tool("mke2fs", "-q", "-t", "ext4", disk.node)
    tool("debugfs", "-w", "-R", "feature needs_recovery", disk.node)
    before = Path(disk.node).read_bytes()
    assert result(search.start(disk.node, "ext4", PREFIX)) == MediaContents()
    assert Path(disk.node).read_bytes() == before


@pytest.mark.parametrize("mounts", ["search", "restore"])
def test_a_file_that_was_deleted_while_it_was_open_stays(
    mounts: str, make_disk: MakeDisk, tool: Tool, mount_point: Path, search: LinuxMediaSearch
) -> None:
    """ext4 removes such files even if it is mounted read-only. On a disk that was pulled from another machine, whose
    journal is not replayed, that would be damage; each start of a unit would do it."""
    disk = make_disk(64 * MIB)
    tool("mke2fs", "-q", "-t", "ext4", disk.node)
    fill(disk, "ext4", mount_point, {"deleted": os.urandom(200_000)})
    inode = tool("debugfs", "-R", "stat deleted", disk.node).split("Inode:")[1].split()[0]
    for request in ("unlink deleted", f"sif <{inode}> links_count 0", f"ssv last_orphan {inode}"):
        tool("debugfs", "-w", "-R", request, disk.node)
    before = Path(disk.node).read_bytes()
    if mounts == "search":
        assert result(search.start(disk.node, "ext4", PREFIX)) == MediaContents()
    else:
        LinuxMounts().mount(disk.node, str(mount_point), "ext4", MEDIA_MOUNTS["ext4"].options)
        LinuxMounts().unmount(str(mount_point))
    assert Path(disk.node).read_bytes() == before
    # It can be written again.
    LinuxMounts().mount(disk.node, str(mount_point), "ext4", ("rw",))
    LinuxMounts().unmount(str(mount_point))


def test_links_folders_and_devices_are_not_followed_or_opened(
    make_disk: MakeDisk, tool: Tool, mount_point: Path, search: LinuxMediaSearch
) -> None:
    disk = make_disk(64 * MIB)
    tool("mke2fs", "-q", "-t", "ext4", disk.node)
    LinuxMounts().mount(disk.node, str(mount_point), "ext4")
    (mount_point / f"{PREFIX}link").symlink_to("/etc/shadow")
    (mount_point / f"{PREFIX}loop").symlink_to(f"{PREFIX}loop")
    (mount_point / f"{PREFIX}folder").mkdir()
    os.mkfifo(mount_point / f"{PREFIX}pipe")
    os.mknod(mount_point / f"{PREFIX}zero", 0o20666, os.makedev(1, 5))
    LinuxMounts().unmount(str(mount_point))

    found = result(search.start(disk.node, "ext4", PREFIX))
    assert len(found.files) == 5
    assert not any(file.regular or file.start for file in found.files)


def test_huge_folders_are_searched_in_part(
    make_disk: MakeDisk, tool: Tool, mount_point: Path, search: LinuxMediaSearch
) -> None:
    disk = make_disk(64 * MIB)
    tool("mke2fs", "-q", "-t", "ext4", "-N", "20000", disk.node)
    names = {f"n{number}": b"" for number in range(MOST_NAMES + 10)}
    fill(disk, "ext4", mount_point, names)
    assert "more than 10000 names" in result(search.start(disk.node, "ext4", PREFIX)).problem

    other = make_disk(64 * MIB)
    tool("mke2fs", "-q", "-t", "ext4", other.node)
    fill(other, "ext4", mount_point, {f"{PREFIX}{number}": b"x" for number in range(MOST_FILES + 3)})
    found = result(search.start(other.node, "ext4", PREFIX))
    assert len(found.files) == MOST_FILES
    assert "more than 32 emergency files" in found.problem


def test_a_volume_that_does_not_mount_is_a_problem(make_disk: MakeDisk, search: LinuxMediaSearch) -> None:
    disk = make_disk(64 * MIB)
    found = result(search.start(disk.node, "ext4", PREFIX))
    assert found.files == ()
    assert "cannot be read" in found.problem


def test_a_child_that_hangs_is_ended_and_leaves_nothing() -> None:
    def hangs() -> bytes:
        time.sleep(1000)
        return b""

    child = ForkedChild(hangs)
    assert child.poll() is None
    began = time.monotonic()
    child.stop()
    assert time.monotonic() - began < 5
    assert child.poll() == b""


def test_a_child_that_fails_returns_nothing() -> None:
    def fails() -> bytes:
        raise OSError

    child = ForkedChild(fails)
    end = time.monotonic() + 20
    while (found := child.poll()) is None:
        assert time.monotonic() < end
        os.sched_yield()
    assert found == b""


def test_storage_that_is_no_disk_yet_is_pending(tmp_path: Path) -> None:
    devices = tmp_path / "devices"
    for name, kind in (("1-1:1.0", "08"), ("1-2:1.0", "08"), ("1-3:1.0", "03"), ("1-1", "")):
        (devices / name).mkdir(parents=True)
        if kind:
            (devices / name / "bInterfaceClass").write_text(f"{kind}\n")
    (devices / "1-2:1.0/host4/target4:0:0/4:0:0:0/block/sdb").mkdir(parents=True)
    search = LinuxMediaSearch("/nowhere", devices=str(devices))
    assert search.pending() == (str(devices / "1-1:1.0"),)
    assert LinuxMediaSearch("/nowhere", devices="/none").pending() == ()
