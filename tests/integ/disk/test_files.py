"""Files on real file systems: replaced whole, flushed, with their permissions, or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.linux.files.files import LinuxFiles
from gprov.adapters.linux.filesystem.mounts import LinuxMounts
from gprov.adapters.linux.filesystem.tools import LinuxFileSystems
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk, FileSystemKind, FileSystemSpec
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.files import FileStatus, FileType
from gprov.domain.formats.owner import Owner

MakeDisk = Callable[..., Disk]
Tool = Callable[..., str]
FILES = LinuxFiles()


@pytest.fixture
def volume(make_disk: MakeDisk) -> Disk:
    disk = make_disk(64 * MIB)
    LinuxFileSystems(SystemProcesses()).make(disk.node, FileSystemSpec(kind=FileSystemKind.EXT4, label="X"))
    return disk


@pytest.fixture
def mounted(volume: Disk, mount_point: Path) -> Path:
    LinuxMounts().mount(volume.node, str(mount_point), "ext4")
    return mount_point


@pytest.fixture
def fat(make_disk: MakeDisk, mount_point: Path) -> Path:
    if "vfat" not in Path("/proc/filesystems").read_text():
        pytest.skip("this kernel has no FAT")
    disk = make_disk(64 * MIB)
    LinuxFileSystems(SystemProcesses()).make(disk.node, FileSystemSpec(kind=FileSystemKind.VFAT, label="X"))
    before = os.umask(0)
    try:
        LinuxMounts().mount(disk.node, str(mount_point), "vfat", ["relatime"])
    finally:
        os.umask(before)
    return mount_point


def test_replace(mounted: Path) -> None:
    path = mounted / "a/b/file"
    for content in (b"first", b"", b"second" * 100000):
        FILES.replace(str(path), content, mode=0o640, owner=Owner(7, 8))
        assert path.read_bytes() == content
    status = path.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o640, 7, 8)
    assert stat.S_IMODE((mounted / "a").stat().st_mode) == 0o755
    assert os.listdir(path.parent) == ["file"]


def test_a_replaced_file_is_on_the_device_at_once(volume: Disk, mounted: Path, tmp_path: Path, tool: Tool) -> None:
    """What a power cut right after the call would leave: the device as it is now, its journal replayed."""
    FILES.replace(f"{mounted}/deep/er/file", b"old")
    FILES.replace(f"{mounted}/deep/er/file", b"new", mode=0o600)
    FILES.copy(f"{mounted}/deep/er/file", f"{mounted}/copy")
    FILES.symlink("copy", f"{mounted}/link")
    FILES.rename(f"{mounted}/copy", f"{mounted}/deep/renamed")
    FILES.make_folder(f"{mounted}/folder", mode=0o2755, owner=Owner(0, 5))
    FILES.replace(f"{mounted}/gone/file", b"x")
    FILES.remove(f"{mounted}/gone")
    cut = tmp_path / "cut"
    with open(volume.node, "rb") as device:
        os.posix_fadvise(device.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    # The backing file is what the device has been told to keep.
    cut.write_bytes((tmp_path / "disk0").read_bytes())
    SystemProcesses().run(("e2fsck", "-p", str(cut)), check=False)
    tool("e2fsck", "-f", "-n", str(cut))
    assert tool("debugfs", "-R", "cat /deep/er/file", str(cut)) == "new"
    assert tool("debugfs", "-R", "cat /deep/renamed", str(cut)) == "new"
    assert 'Fast link dest: "copy"' in tool("debugfs", "-R", "stat /link", str(cut))
    assert "Mode:  02755" in tool("debugfs", "-R", "stat /folder", str(cut))
    names = tool("debugfs", "-R", "ls -p /", str(cut))
    assert "gone" not in names
    assert ".new" not in names


def test_a_leftover_of_a_power_cut_is_reused(mounted: Path) -> None:
    path = mounted / "file"
    (mounted / ".file.new").write_bytes(b"half")
    FILES.replace(str(path), b"whole")
    FILES.symlink("x", str(mounted / "link"))
    assert sorted(os.listdir(mounted)) == ["file", "link", "lost+found"]


def test_a_full_volume_keeps_the_old_file_and_leaves_nothing_behind(mounted: Path) -> None:
    path = mounted / "file"
    FILES.replace(str(path), b"old")
    free = FILES.usage(str(mounted)).total
    with pytest.raises(DeviceFault, match="No space left") as caught:
        FILES.replace(str(path), bytes(free))
    assert caught.value.subject == str(path)
    assert path.read_bytes() == b"old"
    assert not (mounted / ".file.new").exists()
    source = mounted.parent / "large"
    source.write_bytes(bytes(free))
    with pytest.raises(DeviceFault, match="No space left"):
        FILES.copy(str(source), str(path))
    assert path.read_bytes() == b"old"


def test_permissions_are_there_before_the_content(mounted: Path) -> None:
    """A secret is never readable by others, not even under its temporary name, nor if its mode cannot be set."""
    before = os.umask(0)
    try:
        FILES.replace(f"{mounted}/secret", b"s", mode=0o600)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(mounted / "secret").st_mode) == 0o600


def test_copy(mounted: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    content = os.urandom(3_000_001)
    source.write_bytes(content)
    FILES.copy(str(source), f"{mounted}/new/copy", mode=0o755)
    assert (mounted / "new/copy").read_bytes() == content
    assert stat.S_IMODE((mounted / "new/copy").stat().st_mode) == 0o755
    with pytest.raises(DeviceMissing):
        FILES.copy(f"{mounted}/nosuch", f"{mounted}/new/copy")
    assert (mounted / "new/copy").read_bytes() == content


def test_a_source_shorter_than_its_size_is_not_copied(mounted: Path) -> None:
    with pytest.raises(DeviceFault, match="were announced"):
        FILES.copy("/sys/class/block/loop0/size", f"{mounted}/copy")
    assert not (mounted / "copy").exists()


def test_reading(mounted: Path) -> None:
    (mounted / "file").write_bytes(b"0123456789")
    assert FILES.read(f"{mounted}/file") == b"0123456789"
    assert FILES.read(f"{mounted}/file", limit=10) == b"0123456789"
    with pytest.raises(DeviceFault, match="larger than 9 bytes"):
        FILES.read(f"{mounted}/file", limit=9)
    assert FILES.read_start(f"{mounted}/file", 3) == b"012"
    assert FILES.read_start(f"{mounted}/file", 30) == b"0123456789"
    with pytest.raises(DeviceMissing):
        FILES.read(f"{mounted}/nosuch")
    with pytest.raises(DeviceFault):
        FILES.read(str(mounted))


def test_digests_are_those_of_coreutils(mounted: Path, tool: Tool) -> None:
    path = f"{mounted}/file"
    FILES.replace(path, os.urandom(20_000_003))
    found = FILES.digests(path)
    assert found.size == 20_000_003
    assert [found.sha1, found.sha256] == [tool(f"{name}sum", path).split()[0] for name in ("sha1", "sha256")]


def test_status_names_and_links(mounted: Path) -> None:
    FILES.replace(f"{mounted}/file", b"12345", mode=0o4711, owner=Owner(1, 2))
    FILES.symlink("file", f"{mounted}/link")
    FILES.symlink("elsewhere", f"{mounted}/link")
    os.mkfifo(mounted / "pipe")
    assert FILES.status(f"{mounted}/file") == FileStatus(type=FileType.FILE, size=5, mode=0o4711, uid=1, gid=2)
    link, pipe, folder = (FILES.status(f"{mounted}{name}") for name in ("/link", "/pipe", ""))
    assert link is not None
    assert pipe is not None
    assert folder is not None
    assert (link.type, pipe.type, folder.type) == (FileType.SYMLINK, FileType.OTHER, FileType.FOLDER)
    assert FILES.status(f"{mounted}/nosuch") is None
    assert FILES.status(f"{mounted}/file/below") is None
    assert os.readlink(mounted / "link") == "elsewhere"
    assert FILES.names(str(mounted)) == ("file", "link", "lost+found", "pipe")
    with pytest.raises(DeviceMissing):
        FILES.names(f"{mounted}/nosuch")


def test_folders(mounted: Path) -> None:
    FILES.make_folder(f"{mounted}/a/b", mode=0o2755, owner=Owner(0, 5))
    FILES.make_folder(f"{mounted}/a/b", mode=0o700)
    assert stat.S_IMODE((mounted / "a/b").stat().st_mode) == 0o700
    assert stat.S_IMODE((mounted / "a").stat().st_mode) == 0o755
    (mounted / "file").touch()
    with pytest.raises(DeviceFault):
        FILES.make_folder(f"{mounted}/file")


def test_remove_follows_no_link_and_crosses_no_mount(mounted: Path, tmp_path: Path, make_disk: MakeDisk) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (mounted / "tree/inner").mkdir(parents=True)
    (mounted / "tree/inner/file").touch()
    (mounted / "tree/link").symlink_to(outside)
    FILES.remove(f"{mounted}/tree/")
    assert not (mounted / "tree").exists()
    assert (outside / "precious").exists()
    FILES.remove(f"{mounted}/nosuch")
    (mounted / "tree/mount").mkdir(parents=True)
    other = make_disk(64 * MIB)
    LinuxFileSystems(SystemProcesses()).make(other.node, FileSystemSpec(kind=FileSystemKind.EXT4, label="Y"))
    LinuxMounts().mount(other.node, f"{mounted}/tree/mount", "ext4")
    try:
        FILES.replace(f"{mounted}/tree/mount/precious", b"")
        with pytest.raises(DeviceFault, match="busy"):
            FILES.remove(f"{mounted}/tree")
        assert (mounted / "tree/mount/precious").exists()
    finally:
        LinuxMounts().unmount(f"{mounted}/tree/mount")


def test_usage_equals_that_of_df(mounted: Path, tool: Tool) -> None:
    total, free = tool("df", "-B1", "--output=size,avail", str(mounted)).splitlines()[1].split()
    usage = FILES.usage(str(mounted))
    assert (usage.total, usage.free) == (int(total), int(free))


def test_sync_reaches_the_device(volume: Disk, mounted: Path, tmp_path: Path, tool: Tool) -> None:
    (mounted / "plain").write_bytes(b"not flushed by its writer")
    FILES.sync(f"{mounted}/plain")
    cut = tmp_path / "cut"
    cut.write_bytes((tmp_path / "disk0").read_bytes())
    SystemProcesses().run(("e2fsck", "-p", str(cut)), check=False)
    assert tool("debugfs", "-R", "cat /plain", str(cut)) == "not flushed by its writer"


def test_read_only(volume: Disk, mount_point: Path) -> None:
    LinuxMounts().mount(volume.node, str(mount_point), "ext4", ["ro"])
    with pytest.raises(DeviceFault, match="Read-only"):
        FILES.replace(f"{mount_point}/file", b"")


class TestFat:
    def test_modes_on_fat_do_not_depend_on_the_umask(self, fat: Path) -> None:
        FILES.replace(f"{fat}/file", b"")
        assert FILES.status(f"{fat}/file") == FileStatus(type=FileType.FILE, size=0, mode=0o755, uid=0, gid=0)

    def test_replace_and_copy_work(self, fat: Path) -> None:
        FILES.replace(f"{fat}/EFI/BOOT/file", b"one")
        FILES.replace(f"{fat}/EFI/BOOT/file", b"two", mode=0o755)
        FILES.copy(f"{fat}/EFI/BOOT/file", f"{fat}/copy")
        FILES.make_folder(f"{fat}/folder")
        FILES.rename(f"{fat}/copy", f"{fat}/folder/copy")
        assert (fat / "EFI/BOOT/file").read_bytes() == b"two"
        assert FILES.names(str(fat)) == ("EFI", "folder")
        FILES.remove(f"{fat}/folder")
        assert FILES.names(str(fat)) == ("EFI",)

    def test_a_replaced_file_is_on_the_device_at_once(self, fat: Path, tmp_path: Path, tool: Tool) -> None:
        """On FAT the flush of the folder is not enough: the file's own part of its entry is flushed with the file."""
        FILES.replace(f"{fat}/kernel", b"old")
        FILES.replace(f"{fat}/kernel", b"new", mode=0o755)
        FILES.copy(f"{fat}/kernel", f"{fat}/EFI/copy")
        FILES.replace(f"{fat}/part", b"whole")
        FILES.rename(f"{fat}/part", f"{fat}/named")
        cut = tmp_path / "cut"
        cut.write_bytes((tmp_path / "disk0").read_bytes())
        found = [tool("mtype", "-i", str(cut), f"::{name}") for name in ("kernel", "EFI/copy", "named")]
        assert found == ["new", "new", "whole"]

    def test_private_files_are_refused_on_fat(self, fat: Path) -> None:
        with pytest.raises(DeviceFault, match="FAT cannot store mode 600: the file would be readable by all users"):
            FILES.replace(f"{fat}/secret", b"s", mode=0o600)
        assert FILES.names(str(fat)) == ()

    def test_there_are_no_links(self, fat: Path) -> None:
        with pytest.raises(DeviceFault):
            FILES.symlink("file", f"{fat}/link")
