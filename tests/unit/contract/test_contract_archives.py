"""Contract of Archives: an image is proved good, then unpacked; what is not the proved image is not unpacked."""

from __future__ import annotations

import hashlib
import lzma
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.domain.errors import DeviceFault, DeviceMissing, GprovError, IntegrityFault
from gprov.domain.files import FileType
from gprov.domain.image.decoding import MAX_ARCHIVE
from gprov.domain.image.verify import verify_image

if TYPE_CHECKING:
    from tests.unit.contract.conftest import Volume


IMAGE = build_image(build_kernel(7), extra={"etc/deep/er/file": b"content", "empty": b""})


def no_progress(done: int, total: int) -> None:
    """Discard progress."""


@pytest.fixture
def image(ext: Volume) -> str:
    path = ext.path("Image/image.upd")
    ext.files.replace(path, IMAGE)
    return path


def test_an_image_is_verified_whole(ext: Volume, image: str) -> None:
    reports: list[tuple[int, int]] = []
    found = ext.world.archives.verify(image, lambda done, total: reports.append((done, total)), MAX_ARCHIVE)
    assert found == verify_image(image, IMAGE)
    assert (found.path, found.digest, found.size) == (image, hashlib.sha256(IMAGE).hexdigest(), len(IMAGE))
    assert reports[-1] == (len(IMAGE), len(IMAGE))
    assert reports == sorted(reports)
    assert {total for _, total in reports} == {len(IMAGE)}


def test_what_is_no_good_image(ext: Volume, image: str) -> None:
    tar = lzma.decompress(IMAGE)
    cases = {
        "nothing": b"",
        "not xz": tar,
        "crc64": lzma.compress(tar, check=lzma.CHECK_CRC64),
        "half": IMAGE[: len(IMAGE) // 8 * 4],
        "one bit": IMAGE[:300] + bytes([IMAGE[300] ^ 1]) + IMAGE[301:],
        "no tar": lzma.compress(b"no tar" * 1000, check=lzma.CHECK_SHA256),
        "cut tar": lzma.compress(tar[:2048], check=lzma.CHECK_SHA256),
        "junk behind": IMAGE + b"junk",
    }
    for name, content in cases.items():
        ext.files.replace(image, content)
        with pytest.raises(GprovError) as caught:
            ext.world.archives.verify(image, no_progress, MAX_ARCHIVE)
        with pytest.raises(type(caught.value)):
            verify_image(image, content)
        assert not isinstance(caught.value, DeviceFault), name
        assert image in str(caught.value)


def test_an_image_that_says_it_is_too_large_is_refused(ext: Volume, image: str) -> None:
    unpacked = ext.world.archives.verify(image, no_progress, MAX_ARCHIVE).unpacked
    assert ext.world.archives.verify(image, no_progress, unpacked).unpacked == unpacked
    with pytest.raises(IntegrityFault, match=f"unpacks to {unpacked} bytes"):
        ext.world.archives.verify(image, no_progress, unpacked - 1)


def test_no_image_at_all(ext: Volume) -> None:
    with pytest.raises(DeviceMissing):
        ext.world.archives.verify(ext.path("nosuch.upd"), no_progress, MAX_ARCHIVE)


def test_an_image_is_unpacked_with_its_modes(ext: Volume, image: str) -> None:
    found = ext.world.archives.verify(image, no_progress, MAX_ARCHIVE)
    ext.files.make_folder(ext.path("root"))
    reports: list[tuple[int, int]] = []
    ext.world.archives.extract(found, ext.path("root"), lambda done, total: reports.append((done, total)))
    assert reports[-1] == (len(IMAGE), len(IMAGE))
    assert ext.files.names(ext.path("root")) == ("boot", "empty", "etc", "usr")
    assert ext.files.read(ext.path("root/etc/deep/er/file")) == b"content"
    assert ext.files.read(ext.path("root/boot/norm_boot")) == build_kernel(7)
    shadow, empty = (ext.files.status(ext.path(f"root/{name}")) for name in ("etc/shadow", "empty"))
    assert shadow is not None
    assert empty is not None
    assert (shadow.type, shadow.mode, shadow.uid) == (FileType.FILE, 0o640, 0)
    assert (empty.size, empty.mode) == (0, 0o755)


def test_an_image_that_changed_since_is_not_unpacked(ext: Volume, image: str) -> None:
    found = ext.world.archives.verify(image, no_progress, MAX_ARCHIVE)
    other = build_image(build_kernel(8))
    ext.files.replace(image, other)
    ext.world.archives.verify(image, no_progress, MAX_ARCHIVE)
    ext.files.make_folder(ext.path("root"))
    with pytest.raises(IntegrityFault):
        ext.world.archives.extract(found, ext.path("root"), no_progress)
    assert ext.files.names(ext.path("root")) == ()


def test_an_image_with_a_trusted_hash_is_hashed_and_unpacked(ext: Volume, image: str) -> None:
    """What a manifest says about the content is taken as it is: here it is verified apart from the port."""
    expected = verify_image(image, IMAGE)
    reports: list[tuple[int, int]] = []
    ext.world.archives.verify_stored(expected, lambda done, total: reports.append((done, total)), expected.unpacked)
    assert reports[-1] == (len(IMAGE), len(IMAGE))
    assert reports == sorted(reports)
    ext.files.make_folder(ext.path("root"))
    ext.world.archives.extract(expected, ext.path("root"), no_progress)
    assert ext.files.read(ext.path("root/etc/deep/er/file")) == b"content"
    assert ext.files.read(ext.path("root/boot/norm_boot")) == build_kernel(7)


def test_an_image_that_differs_from_its_manifest(ext: Volume, image: str) -> None:
    good = verify_image(image, IMAGE)
    cases = {
        f"has {len(IMAGE)} bytes, should have {len(IMAGE) + 4}": replace(good, size=len(IMAGE) + 4),
        f"unpacks to {good.unpacked} bytes, should be 512": replace(good, unpacked=512),
        "should have 00": replace(good, digest="00" * 32),
    }
    for reason, expected in cases.items():
        with pytest.raises(IntegrityFault, match=reason):
            ext.world.archives.verify_stored(expected, no_progress, MAX_ARCHIVE)
    with pytest.raises(IntegrityFault, match=f"more than the limit of {good.unpacked - 1}"):
        ext.world.archives.verify_stored(good, no_progress, good.unpacked - 1)
    for content in (IMAGE[:300] + bytes([IMAGE[300] ^ 1]) + IMAGE[301:], IMAGE[:-4], b"", bytes(len(IMAGE))):
        ext.files.replace(image, content)
        with pytest.raises(IntegrityFault, match=re.escape(image)):
            ext.world.archives.verify_stored(good, no_progress, MAX_ARCHIVE)
    with pytest.raises(DeviceMissing):
        ext.world.archives.verify_stored(replace(good, path=ext.path("nosuch.upd")), no_progress, MAX_ARCHIVE)


def test_what_was_refused_is_not_unpacked(ext: Volume, image: str) -> None:
    """By an earlier verification of the file that was there before."""
    good = verify_image(image, IMAGE)
    ext.world.archives.verify_stored(good, no_progress, MAX_ARCHIVE)
    ext.files.replace(image, build_image(build_kernel(8)))
    with pytest.raises(IntegrityFault):
        ext.world.archives.verify_stored(good, no_progress, MAX_ARCHIVE)
    ext.files.make_folder(ext.path("root"))
    with pytest.raises(IntegrityFault):
        ext.world.archives.extract(good, ext.path("root"), no_progress)
    assert ext.files.names(ext.path("root")) == ()


def test_nothing_but_what_was_hashed_is_unpacked(ext: Volume, image: str) -> None:
    """The file is another one then: either it is not needed, or the difference is found before anything is written."""
    expected = verify_image(image, IMAGE)
    ext.world.archives.verify_stored(expected, no_progress, MAX_ARCHIVE)
    ext.files.replace(image, build_image(build_kernel(8)))
    ext.files.make_folder(ext.path("root"))
    try:
        ext.world.archives.extract(expected, ext.path("root"), no_progress)
    except IntegrityFault:
        assert ext.files.names(ext.path("root")) == ()
    else:
        assert ext.files.read(ext.path("root/boot/norm_boot")) == build_kernel(7)


def test_nowhere_to_unpack(ext: Volume, image: str) -> None:
    found = ext.world.archives.verify(image, no_progress, MAX_ARCHIVE)
    for name in ("nosuch", "Image/image.upd"):
        with pytest.raises(DeviceFault):
            ext.world.archives.extract(found, ext.path(name), no_progress)
