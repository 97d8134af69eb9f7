"""The model of what mke2fs leaves against the real one, and what an archive is said to need against what it takes."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gprov.adapters.linux.archive.unpack import unpack_argv
from gprov.adapters.linux.filesystem.tools import make_command
from gprov.domain.branding import Branding
from gprov.domain.disk.ext4_room import ext4_room, smallest_disk
from gprov.domain.disk.model import FileSystemKind, FileSystemSpec
from gprov.domain.formats.image.ext4_usage import FS_BLOCK, Needs
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.image.captured_names import captured_names

pytestmark = pytest.mark.device

MIB = 1 << 20
SPEC = FileSystemSpec(kind=FileSystemKind.EXT4, label="PRIMARY", reserved_percent=1, encrypt=True)
TABLE = Path(__file__).parents[3] / "buildroot/initramfs.toml"
SIZES = (64, 200, 511, 512, 1023, 1024, 1025, 2048, 4000, 8192, 20479, 500_000, 4 * MIB)


@pytest.fixture
def make(as_root: None, tmp_path: Path) -> Callable[[int], Path]:
    """A file with the file system of PRIMARY, of so many bytes."""
    config = tmp_path / "mke2fs.conf"
    config.write_text(tomllib.loads(TABLE.read_text())["common"]["files"]["/etc/mke2fs.conf"])

    def made(size: int) -> Path:
        volume = tmp_path / "volume"
        volume.unlink(missing_ok=True)
        with volume.open("wb") as file:
            file.truncate(size)
        command = make_command(str(volume), SPEC, discard=False)
        subprocess.run(command, check=True, env={**os.environ, "MKE2FS_CONFIG": str(config)})
        return volume

    return made


@contextmanager
def mounted(volume: Path) -> Iterator[Path]:
    folder = volume.with_name("mounted")
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop,relatime", str(volume), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("mebibytes", SIZES)
def test_what_mke2fs_leaves(make: Callable[[int], Path], mebibytes: int) -> None:
    size = mebibytes * MIB
    told = subprocess.run(["dumpe2fs", "-h", str(make(size))], capture_output=True, check=True, text=True).stdout

    def value(name: str) -> int:
        found = re.search(rf"^{name}:\s+(\d+)", told, re.MULTILINE)
        assert found is not None
        return int(found[1])

    assert (value("Block size"), value("Inode size")) == (FS_BLOCK, 256)
    total = value("Block count")
    kernel_keeps = min(total // 50, 4096)
    free = value("Free blocks") - value("Reserved block count") - kernel_keeps
    room = ext4_room(size)
    assert 0 <= free - room.bytes // FS_BLOCK <= 10
    assert room.inodes == value("Free inodes")


def walked(data: bytes) -> Needs:
    walker = TarWalker("x", captured_names(Branding()))
    walker.feed(data)
    return walker.finish().needs


def archive(fill: Callable[[tarfile.TarFile], None]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        fill(tar)
    return out.getvalue()


def add(
    tar: tarfile.TarFile, name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "", attribute: str = ""
) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.devmajor, info.devminor = kind, size, link, 1, 3
    info.pax_headers = {"SCHILY.xattr.user.a": attribute} if attribute else {}
    tar.addfile(info, io.BytesIO(bytes(size)))


def mixed(tar: tarfile.TarFile) -> None:
    add(tar, "first")
    for number in range(40):
        add(tar, f"files/{number}", number * 1000)
        add(tar, f"implied/{number}/deep/x")
        add(tar, f"links/{number}", kind=tarfile.SYMTYPE, link="x" * (2 * number + 1))
        add(tar, f"hard/{number}", kind=tarfile.LNKTYPE, link="first")
        add(tar, f"dev/{number}", kind=tarfile.CHRTYPE)
        add(tar, f"attributes/{number}", attribute="v" * number * 5)
        add(tar, f"folders/{number}", kind=tarfile.DIRTYPE)
    add(tar, "large", 40 * MIB)


def long_names(tar: tarfile.TarFile) -> None:
    for number in range(4000):
        add(tar, f"d/{number:0250}")


def short_names(tar: tarfile.TarFile) -> None:
    for number in range(12_000):
        add(tar, f"d/{number}")


def small_files(tar: tarfile.TarFile) -> None:
    for number in range(8000):
        add(tar, f"d{number % 10}/{number}", 1)


@pytest.mark.parametrize(("fill", "excess"), [(mixed, 1.3), (long_names, 1.6), (short_names, 1.6), (small_files, 1.1)])
def test_what_an_archive_needs(
    make: Callable[[int], Path], fill: Callable[[tarfile.TarFile], None], excess: float
) -> None:
    """Never less than it takes, and not much more."""
    data = archive(fill)
    needs = walked(data)
    with mounted(make(300 * MIB)) as folder:
        before = os.statvfs(folder)
        done = subprocess.run(unpack_argv(str(folder)), input=data, capture_output=True, check=True)
        os.sync()
        after = os.statvfs(folder)
    assert b"Cannot" not in done.stderr
    blocks, inodes = before.f_bfree - after.f_bfree, before.f_ffree - after.f_ffree
    assert inodes <= needs.inodes <= inodes + 1  # the root counts, and is there
    assert blocks <= needs.allocated // FS_BLOCK <= blocks * excess + 8


@pytest.mark.parametrize("what", ["inodes", "bytes"])
def test_what_just_fits_can_be_unpacked(make: Callable[[int], Path], what: str) -> None:
    room = ext4_room(64 * MIB)

    def fill(tar: tarfile.TarFile) -> None:
        if what == "inodes":
            for number in range(room.inodes - 128):
                add(tar, f"d{number % 128}/{number}")
        else:
            add(tar, "all", room.bytes - 2 * FS_BLOCK)

    data = archive(fill)
    assert room.holds(walked(data))
    with mounted(make(64 * MIB)) as folder:
        subprocess.run(unpack_argv(str(folder)), input=data, capture_output=True, check=True)


def test_what_does_not_fit_is_seen_before() -> None:
    """Empty files: nothing by their sizes, and each an inode."""

    def fill(tar: tarfile.TarFile) -> None:
        for number in range(140_000):
            add(tar, f"d/{number}")

    needs = walked(archive(fill))
    assert not ext4_room(2048 * MIB).holds(needs)
    assert ext4_room(4096 * MIB).holds(needs)
    assert 2048 * MIB < smallest_disk(needs) < 3072 * MIB
