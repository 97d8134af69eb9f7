"""Unpacking when something goes wrong: nothing is taken for done that is not."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.archive.unpack import TarFeed, unpack_argv
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.errors import ContentRefused, DeviceFault, DeviceMissing, IntegrityFault, ToolFailed
from gprov.domain.formats.image.xz_layout import XzLayout, read_layout
from gprov.domain.image.decoding import MAX_ARCHIVE

Snapshot = Callable[[Path], dict[str, str]]
SIZE = 3 << 20


def quiet(_done: int, _total: int) -> None:
    """Discards progress."""


def run(*argv: str, stdin: bytes | None = None) -> bytes:
    return subprocess.run(argv, input=stdin, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for number in range(3):
        (tree / f"file{number}").write_bytes(random.Random(number).randbytes(SIZE))
    (tree / "plain").write_text("x" * 5000)
    return tree


def pack(tree: Path, path: Path, *options: str) -> Path:
    xz = " ".join(("xz", "-0", "--check=sha256", *(options or ("--block-size=1MiB", "-T2"))))
    kept = ["--xattrs", "--xattrs-include=*", "--acls", "--format=pax", "--pax-option=delete=atime,delete=ctime"]
    run("tar", "-c", "--sort=name", *kept, "-I", xz, "-f", str(path), "-C", str(tree), ".")
    return path


@pytest.fixture(scope="module")
def packed(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return pack(tree, tmp_path_factory.mktemp("packed") / "x.upd").read_bytes()


@pytest.fixture
def image(packed: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "x.upd"
    path.write_bytes(packed)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize("budget", [0, 4 << 20, None])
@pytest.mark.parametrize("workers", [1, 3])
def test_everything_arrives(tree: Path, image: Path, target: Path, budget: int | None, workers: int) -> None:
    archives = XzTarArchives(SystemProcesses(), memory_budget=budget, workers=workers)
    seen: list[int] = []
    verified = archives.verify(str(image), quiet, MAX_ARCHIVE)
    archives.extract(verified, str(target), lambda done, _total: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == image.stat().st_size
    run("diff", "-r", str(tree), str(target))


def test_an_image_that_another_instance_verified(tree: Path, image: Path, target: Path) -> None:
    """Another object, or the same a second time: verified once more before anything is unpacked."""
    verified = XzTarArchives(SystemProcesses()).verify(str(image), quiet, MAX_ARCHIVE)
    archives = XzTarArchives(SystemProcesses())
    archives.extract(verified, str(target), quiet)
    run("diff", "-r", str(tree), str(target))
    with image.open("r+b") as file:
        file.seek(12345)
        file.write(b"changed")
    with pytest.raises(IntegrityFault):
        archives.extract(verified, str(target), quiet)


def layout_of(image: Path) -> XzLayout:
    data = image.read_bytes()
    return read_layout(str(image), len(data), lambda offset, size: data[offset : offset + size])


@contextlib.contextmanager
def changed_byte(path: Path) -> Iterator[None]:
    """Another byte in the middle of random content: xz stores such blocks as they are, so no size changes."""
    before, time = path.read_bytes(), path.stat().st_mtime_ns
    changed = bytearray(before)
    changed[len(changed) // 2] ^= 0xFF
    try:
        path.write_bytes(changed)
        os.utime(path, ns=(time, time))
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(time, time))


@pytest.mark.parametrize("change", ["flip", "cut", "other content", "gone"])
def test_changed_between_verification_and_unpacking(tree: Path, image: Path, target: Path, change: str) -> None:
    archives = XzTarArchives(SystemProcesses(), memory_budget=0)
    verified = archives.verify(str(image), quiet, MAX_ARCHIVE)
    match change:
        case "flip":
            with image.open("r+b") as file:
                file.seek(verified.size // 2)
                file.write(b"\xa5" * 5)
        case "cut":
            os.truncate(image, verified.size // 2)
        case "other content":
            # A valid image of the same layout: only the hashes remembered from verification tell.
            layout = layout_of(image)
            with changed_byte(tree / "file1"):
                pack(tree, image)
            assert layout_of(image) == layout
        case _:
            image.unlink()
    with pytest.raises(DeviceMissing if change == "gone" else IntegrityFault) as caught:
        archives.extract(verified, str(target), quiet)
    if change == "other content":
        assert "differs from that of verification" in str(caught.value)


def test_blocks_kept_in_memory_need_no_file(tree: Path, image: Path, target: Path) -> None:
    """Overwritten after verification: unpacked is what was verified."""
    archives = XzTarArchives(SystemProcesses())
    verified = archives.verify(str(image), quiet, MAX_ARCHIVE)
    image.write_bytes(b"\0" * verified.size)
    archives.extract(verified, str(target), quiet)
    run("diff", "-r", str(tree), str(target))


def test_no_folder_to_unpack_into(image: Path, tmp_path: Path) -> None:
    archives = XzTarArchives(SystemProcesses())
    verified = archives.verify(str(image), quiet, MAX_ARCHIVE)
    for target in (tmp_path / "none", image):
        with pytest.raises(DeviceMissing):
            archives.extract(verified, str(target), quiet)


@pytest.fixture
def mounted(as_root: None, target: Path) -> Iterator[Callable[..., Path]]:
    def mount(kind: str, *options: str) -> Path:
        run("mount", "-t", kind, *options, "none", str(target))
        return target

    yield mount
    if target.is_mount():
        run("umount", str(target))


@pytest.mark.parametrize("budget", [0, None])
def test_a_full_target(image: Path, mounted: Callable[..., Path], budget: int | None) -> None:
    target = mounted("tmpfs", "-o", f"size={2 * SIZE}")
    archives = XzTarArchives(SystemProcesses(), memory_budget=budget)
    verified = archives.verify(str(image), quiet, MAX_ARCHIVE)
    with pytest.raises(ContentRefused, match="No space left on device"):
        archives.extract(verified, str(target), quiet)


def test_attributes_that_the_target_cannot_hold(root: Path, tmp_path: Path, mounted: Callable[..., Path]) -> None:
    """tar itself ends with status 0 then."""
    image = pack(root, tmp_path / "x.upd")
    target = mounted("ramfs")
    archives = XzTarArchives(SystemProcesses())
    verified = archives.verify(str(image), quiet, MAX_ARCHIVE)
    with pytest.raises(ContentRefused, match=r"could not restore everything, exit status 0: tar: .*Cannot set"):
        archives.extract(verified, str(target), quiet)


def fed(argv: list[str], chunks: Iterable[bytes], *, kill: bool = False) -> ToolFailed:
    """How it fails to unpack these chunks."""
    with SystemProcesses().start(argv, feed=True) as child:
        feed = TarFeed(child, argv)
        if kill:
            os.kill(child.pid, signal.SIGKILL)
        try:
            for chunk in chunks:
                feed.write(chunk)
            feed.finish()
        except ToolFailed as failure:
            return failure
    raise AssertionError("taken for done")


def test_tar_that_dies(target: Path) -> None:
    failure = fed(unpack_argv(str(target)), [bytes(1 << 20)] * 100, kill=True)
    assert "exit status -9" in str(failure)
    assert not isinstance(failure, ContentRefused)


def test_a_target_that_takes_nothing_is_no_fault_of_the_archive(tree: Path, mounted: Callable[..., Path]) -> None:
    target = mounted("tmpfs", "-o", "ro")
    failure = fed(unpack_argv(str(target)), [run("tar", "-c", "-C", str(tree), "plain")])
    assert "Read-only file system" in str(failure)
    assert not isinstance(failure, ContentRefused)


def test_tar_that_stops_reading_early(tree: Path, target: Path) -> None:
    """Without --ignore-zeros tar ends at the first end of an archive; what it was given then is more than it read."""
    argv = [word for word in unpack_argv(str(target)) if word != "--ignore-zeros"]
    tar = run("tar", "-c", "-C", str(tree), "plain")
    for copies in (30, 600):
        assert fed(argv, [tar] * copies).subject == "tar"


@pytest.mark.parametrize(
    ("message", "status", "refused"),
    [
        ("tar: ./a: Cannot open: File name too long", 2, True),
        ("tar: ./a: Cannot hard link to './b': No such file or directory", 2, True),
        ("tar: ./a: Cannot acl_from_text: Invalid argument", 2, True),
        ("tar: Skipping to next header", 2, True),
        ("tar: a: Cannot mkdir: File name too long\ntar: a/b: Cannot open: No such file or directory", 2, True),
        (
            "tar: acl_set_file_at: Cannot set POSIX ACLs for file 'a\nb': Operation not supported\nTotal bytes read: 0",
            0,
            True,
        ),
        ("tar: ./a: Cannot mkdir: No such file or directory", 2, False),
        ("tar: ./a: Cannot write: Input/output error", 2, False),
        ("tar: ./a: Cannot open: Too many open files", 2, False),
        ("tar: ./a: Cannot open: Stale file handle", 2, False),
        ("tar: ./a: Cannot open: File exists\ntar: ./b: Cannot open: Connection timed out", 2, False),
        ("tar: ./a: Cannot open: File exists\ntar: memory exhausted", 2, False),
        ("tar: error while loading shared libraries: libacl.so.1: cannot open: Invalid argument", 127, False),
        ("tar: ./a: Cannot open: File exists", 126, False),
        ("tar: Error is not recoverable: exiting now", 2, False),
    ],
)
def test_only_failures_that_an_archive_can_cause_are_put_down_to_it(message: str, status: int, refused: bool) -> None:
    script = 'cat >/dev/null; echo "$1" >&2; exit "$2"'
    failure = fed(["sh", "-c", script, "sh", message, str(status)], [bytes(1 << 10)])
    assert isinstance(failure, ContentRefused) is refused


def test_garbage_in_the_stream(target: Path) -> None:
    failure = fed(unpack_argv(str(target)), [b"this is no archive" * 1000])
    assert "exit status 2" in str(failure)
    assert isinstance(failure, ContentRefused)


@pytest.mark.device
def test_a_medium_that_cannot_be_read(as_root: None, image: Path, tmp_path: Path) -> None:
    """A file system on a device whose end is gone."""
    backing, point = tmp_path / "disk", tmp_path / "recovery"
    point.mkdir()
    with backing.open("wb") as file:
        file.truncate(64 << 20)
    run("mkfs.ext4", "-q", "-O", "^has_journal", str(backing))
    run("mount", "-o", "loop", str(backing), str(point))
    try:
        with (point / "x.upd").open("wb") as file:
            file.write(bytes(8 << 20))
            file.write(image.read_bytes())
        run("dd", "if=/dev/zero", f"of={point}/filler", "bs=1M", "count=1")
        copy = point / "y.upd"
        copy.write_bytes(image.read_bytes())
        os.sync()
        physical = run("filefrag", "-b1", "-v", str(copy)).decode().splitlines()[3].split()[3].rstrip(".:")
        os.truncate(backing, int(physical) + (2 << 20))
        with pytest.raises(DeviceFault, match=r"y\.upd: cannot be read at offset \d+: Input/output error") as caught:
            XzTarArchives(SystemProcesses()).verify(str(copy), quiet, MAX_ARCHIVE)
        assert caught.value.errno == 5
    finally:
        run("umount", str(point))


MEASURE = """
import sys
from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
archives = XzTarArchives(SystemProcesses(), memory_budget=int(sys.argv[3]))
image = archives.verify(sys.argv[1], lambda done, total: None, 1 << 40)
archives.extract(image, sys.argv[2], lambda done, total: None)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.parametrize(("options", "limit"), [(("-T1",), 60), (("-T2", "--block-size=16MiB"), 130)])
def test_memory_is_bounded_whatever_the_size(
    tmp_path: Path, target: Path, options: tuple[str, ...], limit: int
) -> None:
    """300 MB unpacked, in one block and in many; MiB of resident memory in all, some 15 of which are Python's."""
    part = random.Random(1).randbytes(64 << 10)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "large").write_bytes(part * (300 * 16))
    image = pack(tree, tmp_path / "x.upd", *options)
    used = int(run(sys.executable, "-c", MEASURE, str(image), str(target), "0"))  # KiB
    assert used < limit << 10
