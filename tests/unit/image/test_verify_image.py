"""Verification as a whole, in memory and from files: both ways must come to the same."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.archive.blocks import decode_block
from gprov.adapters.linux.archive.reader import ImageFile
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.branding import Branding
from gprov.domain.errors import DeviceFault, DeviceMissing, IntegrityFault
from gprov.domain.formats.image.xz_layout import read_layout
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.decoding import MAX_ARCHIVE
from gprov.domain.image.verify import verify_image

XzOf = Callable[..., bytes]
TarOf = Callable[..., bytes]
Verify = Callable[[bytes], VerifiedImage]


@pytest.fixture(params=["memory", "file", "file, one worker"])
def verify(request: pytest.FixtureRequest, tmp_path: Path) -> Verify:
    path = tmp_path / "x.upd"
    workers = 1 if "one" in request.param else 3
    archives = XzTarArchives(SystemProcesses(), workers=workers)

    def from_file(data: bytes) -> VerifiedImage:
        path.write_bytes(data)
        return archives.verify(str(path), lambda _done, _total: None, MAX_ARCHIVE)

    return from_file if "file" in request.param else lambda data: verify_image(str(path), data)


def test_facts(verify: Verify, image: bytes, root_tar: bytes) -> None:
    found = verify(image)
    assert found.size == len(image)
    assert found.unpacked == len(root_tar)
    assert found.entries == 2
    assert found.content_bytes == 30
    assert found.digest == hashlib.sha256(image).hexdigest()
    assert found.files.passwd == b"root:x:0:0::/root:/bin/sh\n"
    assert found.files.has_init
    assert found.path.endswith("x.upd")


def test_a_large_block_comes_in_many_pieces(verify: Verify, tar_of: TarOf, xz_of: XzOf) -> None:
    content = b"".join(n.to_bytes(4, "little") for n in range(800_000))
    tar = tar_of({"etc/passwd": b"x", "big": content})
    assert verify(xz_of([tar[:100], tar[100:]])).content_bytes == len(content) + 1


@pytest.mark.parametrize("blocks", [0, 1])
def test_no_content(blocks: int, verify: Verify, xz_of: XzOf) -> None:
    with pytest.raises(IntegrityFault, match="end mark"):
        verify(xz_of([b""] * blocks))


def test_every_kind_of_damage_in_a_block(verify: Verify, image: bytes) -> None:
    layout = read_layout("x", len(image), lambda offset, size: image[offset : offset + size])
    for block in layout.blocks:
        tail = block.data_offset + block.data_size
        # The last byte of LZMA2 data is its end mark; then there may be padding, then the check.
        for at in {block.data_offset, block.data_offset + block.data_size // 2, tail - 1, tail, block.end - 1}:
            damaged = bytearray(image)
            damaged[at] ^= 0x40
            with pytest.raises(IntegrityFault):
                verify(bytes(damaged))


def test_block_with_wrong_length(verify: Verify, root_tar: bytes, xz_of: XzOf) -> None:
    """Index and header agree with each other, but not with the data."""
    for told in (len(root_tar) - 1, len(root_tar) + 1):
        data = lying(xz_of, root_tar, told)
        with pytest.raises(lzma.LZMAError):
            lzma.decompress(data)
        with pytest.raises(IntegrityFault):
            verify(data)


def lying(xz_of: XzOf, content: bytes, told: int) -> bytes:
    """A stream whose header and index say that its block unpacks to ``told`` bytes."""

    class Told(bytes):
        @override
        def __len__(self) -> int:
            return told

    return xz_of([Told(content)])


@pytest.mark.parametrize("alter", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: data + bytes(4)])
def test_block_that_does_not_end_with_its_data(
    alter: Callable[[bytes], bytes], verify: Verify, root_tar: bytes, xz_of: XzOf
) -> None:
    """The end mark is missing, or something stands behind it; content and hashes are right."""
    for sizes in (True, False):
        with pytest.raises(IntegrityFault):
            verify(xz_of([root_tar], sizes=sizes, alter=alter))


def test_decoding_stops_when_a_block_exceeds_its_size(tmp_path: Path, xz_of: XzOf) -> None:
    """A small file may unpack to anything; what is too much is not waited for."""
    path = tmp_path / "x.upd"
    path.write_bytes(xz_of([bytes(20 << 20)]))
    with ImageFile(str(path)) as file:
        (block,) = read_layout("x", file.size, file.read_at).blocks
        pieces = decode_block(file, replace(block, uncompressed_size=(2 << 20) + 5))
        assert [len(next(pieces).data) for _ in range(2)] == [1 << 20] * 2
        with pytest.raises(IntegrityFault, match="more than the 2097157 bytes"):
            next(pieces)


def test_names_of_another_brand(image: bytes, tar_of: TarOf, xz_of: XzOf) -> None:
    branding = Branding(boot_kernel="my_boot", config_folder="/etc/mine", real_init="/usr/sbin/init")
    content = xz_of([tar_of({"etc/mine/imgmeta.json": b"{}", "boot/my_boot": b"K", "usr/lib/systemd/systemd": b""})])
    files = verify_image("x", content, branding).files
    assert (files.imgmeta, files.kernel_start, files.has_init) == (b"{}", b"K", False)
    content = xz_of([tar_of({"sbin/init": b""})])
    assert verify_image("x", content, branding).files.has_init


def test_any_single_bit_flip(image: bytes, root_tar: bytes) -> None:
    """Each bit of each byte of a file: refused, or (an unused parameter of the decoder) the content is the same."""
    harmless = 0
    for at in range(len(image)):
        for bit in range(8):
            flipped = bytearray(image)
            flipped[at] ^= 1 << bit
            try:
                found = verify_image("x", bytes(flipped))
            except IntegrityFault:
                continue
            harmless += 1
            assert found.digest != hashlib.sha256(image).hexdigest()
            assert lzma.decompress(bytes(flipped).replace(b"YZ" + bytes(8), b"YZ")) == root_tar
    assert harmless <= 2


def test_every_truncation(image: bytes, root_tar: bytes) -> None:
    """The first stream alone is a whole xz file: then it is the tar inside that is cut."""
    for size in range(len(image)):
        with pytest.raises(IntegrityFault):
            verify_image("x", image[:size])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_both_ways_agree_on_damaged_files(image: bytes, tmp_path: Path, data: st.DataObject) -> None:
    changed = bytearray(image)
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path = tmp_path / "x.upd"
    path.write_bytes(changed)
    archives = XzTarArchives(SystemProcesses(), workers=2)

    def verdict(check: Callable[[], VerifiedImage]) -> VerifiedImage | None:
        try:
            return check()
        except IntegrityFault:
            return None

    in_memory = verdict(lambda: verify_image(str(path), bytes(changed)))
    assert verdict(lambda: archives.verify(str(path), lambda _done, _total: None, MAX_ARCHIVE)) == in_memory


def test_progress_ends_with_everything(image: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.upd"
    path.write_bytes(image)
    seen: list[tuple[int, int]] = []
    XzTarArchives(SystemProcesses()).verify(str(path), lambda done, total: seen.append((done, total)), MAX_ARCHIVE)
    done = [at for at, _ in seen]
    assert done == sorted(done)
    assert {total for _, total in seen} == {len(image)}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    archives = XzTarArchives(SystemProcesses())
    with pytest.raises(DeviceMissing):
        archives.verify(str(tmp_path / "none"), lambda _done, _total: None, MAX_ARCHIVE)
    with pytest.raises(DeviceFault, match="not a regular file"):
        archives.verify(str(tmp_path), lambda _done, _total: None, MAX_ARCHIVE)
    with pytest.raises(DeviceFault, match="not a regular file"):
        archives.verify("/dev/null", lambda _done, _total: None, MAX_ARCHIVE)


def test_what_is_too_large_is_refused_before_it_is_decoded(xz_of: XzOf, root_tar: bytes, tmp_path: Path) -> None:
    """As its index says. Its data are damaged, which only decoding would find."""
    data = bytearray(xz_of([root_tar, bytes(9 << 20)]))
    data[200] ^= 0xFF
    path = tmp_path / "x.upd"
    path.write_bytes(data)
    archives = XzTarArchives(SystemProcesses())
    most = len(root_tar) + (9 << 20)
    for bound, reason in (
        (most - 1, f"unpacks to {most} bytes, more than the limit of {most - 1}"),
        (most, "block at offset"),
    ):
        with pytest.raises(IntegrityFault, match=reason):
            archives.verify(str(path), lambda _done, _total: None, bound)
    with pytest.raises(IntegrityFault, match="more than the"):
        verify_image("x", bytes(data), None, most - 1)


def test_zeros_without_end_are_no_archive(verify: Verify, xz_of: XzOf, root_tar: bytes) -> None:
    assert verify(xz_of([root_tar, bytes(15 << 20)])).entries == 2
    with pytest.raises(IntegrityFault, match="bytes of zeros follow the archive"):
        verify(xz_of([root_tar, bytes(16 << 20), bytes(64 << 20)]))
