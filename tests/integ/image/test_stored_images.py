"""Images with a trusted SHA-256: hashed once as stored, decoded once; what the medium returns the second time is
compared before it is decoded."""

from __future__ import annotations

import hashlib
import lzma
import os
import random
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import pytest

from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.archive.stored import Sha256
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.errors import DeviceMissing, IntegrityFault
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.decoding import CHUNK, MAX_ARCHIVE

FILES, SIZE = 4, 3 << 20
NOTHING_KEPT, ALL_KEPT = 0, None


def quiet(_done: int, _total: int) -> None:
    """Discards progress."""


def run(*argv: str) -> bytes:
    return subprocess.run(argv, capture_output=True, check=True).stdout


def pack(tree: Path, path: Path, *options: str) -> Path:
    xz = " ".join(("xz", "-0", "--check=sha256", *options))
    run("tar", "-c", "--sort=name", "--format=pax", "-I", xz, "-f", str(path), "-C", str(tree), ".")
    return path


def manifest(path: Path) -> VerifiedImage:
    """What a manifest states, by other tools: xz and hashlib. The content plays no part here."""
    data = path.read_bytes()
    totals = run("xz", "--robot", "--list", str(path)).decode().splitlines()[-1].split("\t")
    return VerifiedImage(
        path=str(path),
        size=len(data),
        unpacked=int(totals[4]),
        content_bytes=0,
        entries=0,
        digest=hashlib.sha256(data).hexdigest(),
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random, so that blocks of 1 MiB are several segments as stored."""
    tree = tmp_path_factory.mktemp("tree")
    for number in range(FILES):
        (tree / f"file{number}").write_bytes(random.Random(number).randbytes(SIZE))
    (tree / "zeros").write_bytes(bytes(SIZE))
    return tree


@pytest.fixture(scope="module", params=["--block-size=3MiB -T2", "-T1"])
def packed(request: pytest.FixtureRequest, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return pack(tree, tmp_path_factory.mktemp("packed") / "x.upd", *str(request.param).split()).read_bytes()


@pytest.fixture
def image(packed: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "x.upd"
    path.write_bytes(packed)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


class Counted:
    """Hashes with SHA-256, and adds up the bytes that all its copies are given."""

    def __init__(self) -> None:
        self.bytes = 0

    def sha256(self) -> Sha256:
        return CountedHash(self, hashlib.sha256())


class CountedHash:
    def __init__(self, counted: Counted, inner: Sha256) -> None:
        self._counted = counted
        self._inner = inner

    def update(self, data: bytes, /) -> None:
        self._counted.bytes += len(data)
        self._inner.update(data)

    def digest(self) -> bytes:
        return self._inner.digest()

    def hexdigest(self) -> str:
        return self._inner.hexdigest()

    def copy(self) -> CountedHash:
        return CountedHash(self._counted, self._inner.copy())


@pytest.mark.parametrize("budget", [NOTHING_KEPT, 5 << 20, ALL_KEPT])
@pytest.mark.parametrize("workers", [1, 3])
def test_everything_arrives(tree: Path, image: Path, target: Path, budget: int | None, workers: int) -> None:
    archives = XzTarArchives(SystemProcesses(), memory_budget=budget, workers=workers)
    expected, seen = manifest(image), list[int]()
    archives.verify_stored(expected, lambda done, _total: seen.append(done), expected.unpacked)
    assert seen == sorted(seen)
    assert seen[-1] == expected.size
    seen.clear()
    archives.extract(expected, str(target), lambda done, _total: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == expected.size
    run("diff", "-r", str(tree), str(target))


def test_each_byte_is_hashed_once(image: Path, target: Path) -> None:
    """And once more if it was not kept: SHA-256 is half of the time on slow processors. xz's own is not computed."""
    expected, counted = manifest(image), Counted()
    archives = XzTarArchives(SystemProcesses(), sha256=counted.sha256)
    archives.verify_stored(expected, quiet, MAX_ARCHIVE)
    archives.extract(expected, str(target), quiet)
    assert counted.bytes == expected.size

    counted.bytes = 0
    archives = XzTarArchives(SystemProcesses(), memory_budget=NOTHING_KEPT, sha256=counted.sha256)
    archives.verify_stored(expected, quiet, MAX_ARCHIVE)
    assert counted.bytes == expected.size
    archives.extract(expected, str(target), quiet)
    assert 2 * expected.size - 2000 < counted.bytes < 2 * expected.size  # of xz's index and headers only once


def only_what_was_packed(tree: Path, target: Path) -> None:
    """Each file in ``target`` is the same file of ``tree``, or the start of it."""
    for path in target.rglob("*"):
        assert (tree / path.name).read_bytes().startswith(path.read_bytes())


def flip(image: Path, offset: int) -> None:
    with image.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes((byte ^ 1,)))


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kept", [NOTHING_KEPT, 2 << 20])
def test_one_bit_that_changes_between_the_passes(
    tree: Path, image: Path, target: Path, kept: int, place: float
) -> None:
    """Of data that xz stored as they are: any decoder takes them."""
    archives = XzTarArchives(SystemProcesses(), memory_budget=kept)
    expected = manifest(image)
    archives.verify_stored(expected, quiet, MAX_ARCHIVE)
    flip(image, max(int(expected.size * place), kept + CHUNK))
    with pytest.raises(IntegrityFault, match=r"the data at offset \d+ differ from those that were verified"):
        archives.extract(expected, str(target), quiet)
    only_what_was_packed(tree, target)


@pytest.mark.parametrize("change", ["cut", "grown", "replaced", "gone", "zeros"])
def test_a_file_that_changes_between_the_passes(tree: Path, image: Path, target: Path, change: str) -> None:
    archives = XzTarArchives(SystemProcesses(), memory_budget=NOTHING_KEPT)
    expected = manifest(image)
    archives.verify_stored(expected, quiet, MAX_ARCHIVE)
    match change:
        case "cut":
            os.truncate(image, expected.size // 2)
        case "grown":  # in front: everything is elsewhere
            image.write_bytes(bytes(4096) + image.read_bytes())
        case "replaced":
            (image.parent / "other").write_bytes(bytes(expected.size))
            os.replace(image.parent / "other", image)
        case "gone":
            image.unlink()
        case _:
            image.write_bytes(bytes(expected.size))
    with pytest.raises(DeviceMissing if change == "gone" else IntegrityFault):
        archives.extract(expected, str(target), quiet)
    only_what_was_packed(tree, target)


def test_what_was_kept_needs_no_file(tree: Path, image: Path, target: Path) -> None:
    archives = XzTarArchives(SystemProcesses())
    expected = manifest(image)
    archives.verify_stored(expected, quiet, MAX_ARCHIVE)
    image.write_bytes(bytes(expected.size))
    archives.extract(expected, str(target), quiet)
    run("diff", "-r", str(tree), str(target))


def test_a_layout_that_was_another_when_it_was_read(image: Path) -> None:
    """The medium returns a block header with another dictionary first, and the right one when it is hashed."""
    good = image.read_bytes()
    expected = manifest(image)
    start = 12
    size = (good[start] + 1) * 4
    header = bytearray(good[start : start + size - 4])
    place = header.rindex(b"\x21\x01") + 2  # properties of LZMA2: one byte
    header[place] += 1
    image.write_bytes(good[:start] + header + zlib.crc32(header).to_bytes(4, "little") + good[start + size :])

    def sha256() -> Sha256:  # asked for after the layout was read
        image.write_bytes(good)
        return hashlib.sha256()

    with pytest.raises(IntegrityFault, match="reading it twice gave different data"):
        XzTarArchives(SystemProcesses(), sha256=sha256).verify_stored(expected, quiet, MAX_ARCHIVE)


@pytest.mark.parametrize("listed", [True, False])
def test_access_control_lists_arrive(tmp_path: Path, target: Path, listed: bool) -> None:
    """Of a manifest as of a verification; tar handles none if the image has none."""
    folder, image = tmp_path / "with-lists", tmp_path / "lists.upd"
    folder.mkdir()
    (folder / "file").write_text("x")
    if listed:
        run("setfacl", "-m", "u:12345:rwx", str(folder / "file"))
    options = ("--acls", "--numeric-owner", "--format=pax")
    run("tar", "-c", *options, "-I", "xz -0 --check=sha256", "-f", str(image), "-C", str(folder), ".")
    archives = XzTarArchives(SystemProcesses())
    expected = XzTarArchives(SystemProcesses()).verify(str(image), quiet, MAX_ARCHIVE)
    assert expected.has_acls is listed
    archives.verify_stored(expected, quiet, MAX_ARCHIVE)
    archives.extract(expected, str(target), quiet)
    assert (b"user:12345:rwx" in run("getfacl", "-n", str(target / "file"))) is listed


def test_an_archive_without_its_end(tree: Path, tmp_path: Path, target: Path) -> None:
    """The manifest is right about it, and wrong to be one."""
    tar = run("tar", "-c", "--format=pax", "-C", str(tree), "file0")
    cut = tar[: 512 * 3 + SIZE]
    image = tmp_path / "x.upd"
    image.write_bytes(lzma.compress(cut, check=lzma.CHECK_SHA256, preset=0))
    archives = XzTarArchives(SystemProcesses())
    expected = manifest(image)
    archives.verify_stored(expected, quiet, MAX_ARCHIVE)
    with pytest.raises(IntegrityFault, match="does not end with the end mark of an archive"):
        archives.extract(expected, str(target), quiet)


MEASURE = """
import sys
from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.image.contents import VerifiedImage
path, target, size, unpacked, digest = sys.argv[1:]
image = VerifiedImage(
    path=path, size=int(size), unpacked=int(unpacked), content_bytes=0, entries=0, digest=digest
)
archives = XzTarArchives(SystemProcesses())
archives.verify_stored(image, lambda done, total: None, image.unpacked)
archives.extract(image, target, lambda done, total: None)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def test_memory_is_bounded_whatever_the_size(tmp_path: Path, target: Path) -> None:
    """384 MiB as stored: one stream of 16 MiB over and over. Resident memory at its highest, with Python's own."""
    content, count = random.Random(1).randbytes(16 << 20), 24
    info = tarfile.TarInfo("large")
    info.size = len(content) * count

    def packed(data: bytes) -> bytes:
        return lzma.compress(data, check=lzma.CHECK_SHA256, preset=0)

    image = tmp_path / "x.upd"
    part = packed(content)
    image.write_bytes(b"".join((packed(info.tobuf(tarfile.PAX_FORMAT)), *[part] * count, packed(bytes(10240)))))
    expected = manifest(image)
    facts = (image, target, expected.size, expected.unpacked, expected.digest)
    used = int(run(sys.executable, "-c", MEASURE, *map(str, facts)))  # KiB
    assert expected.size > 384 << 20
    assert used < 256 << 10
    assert (target / "large").stat().st_size == info.size
