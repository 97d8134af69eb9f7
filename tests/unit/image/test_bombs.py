"""Small files that state or unpack to very much: refused before they take memory or time."""

from __future__ import annotations

import lzma
import struct
import tarfile
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, count, islice, repeat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.branding import Branding
from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.tar_fields import Malformed
from gprov.domain.formats.image.tar_names import FOLDER, MemberPaths
from gprov.domain.formats.image.tar_totals import MAX_CONTENT, MAX_MEMBERS, Totals
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.formats.image.xz_layout import read_layout
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.contents import VerifiedImage
from tests.unit.image.conftest import XzOf

MIB, GIB = 1 << 20, 1 << 30


def quiet(_done: int, _total: int) -> None:
    """Discards progress."""


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.25 MB that unpack to 8 GiB. Each block is damaged: decoding any of them would be told as another fault."""
    stream = bytearray(lzma.compress(bytes(64 * MIB), check=lzma.CHECK_SHA256, preset=0))
    stream[40] ^= 0xFF
    path = tmp_path_factory.mktemp("bomb") / "x.upd"
    path.write_bytes(bytes(stream) * 128)
    return path


def test_padding_does_not_take_memory(tmp_path: Path) -> None:
    """Of a file that ends with as much of it as there is room for on its medium."""
    path = tmp_path / "x.upd"
    stream = lzma.compress(b"no tar", check=lzma.CHECK_SHA256)
    path.write_bytes(stream)
    with path.open("r+b") as file:
        file.truncate(len(stream) + 256 * MIB)
    size = path.stat().st_size
    stated = VerifiedImage(path=str(path), size=size, unpacked=6, content_bytes=0, entries=1, digest="00" * 32)
    archives = XzTarArchives(SystemProcesses())
    tracemalloc.start()
    try:
        with pytest.raises(IntegrityFault, match="has the SHA-256"):
            archives.verify_stored(stated, quiet, GIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB


def test_what_states_more_than_fits_is_refused_without_decoding(bomb: Path) -> None:
    archives, size = XzTarArchives(SystemProcesses()), bomb.stat().st_size
    stated = VerifiedImage(path=str(bomb), size=size, unpacked=8 * GIB, content_bytes=0, entries=1, digest="00" * 32)
    assert size < 1_400_000
    tracemalloc.start()
    try:
        for refused in (
            lambda: archives.verify(str(bomb), quiet, 8 * GIB - 1),
            lambda: archives.verify_stored(stated, quiet, 8 * GIB - 1),
        ):
            with pytest.raises(
                IntegrityFault, match=f"unpacks to {8 * GIB} bytes, more than the limit of {8 * GIB - 1}"
            ):
                refused()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MIB
    with pytest.raises(IntegrityFault, match="the compressed data are damaged"):
        archives.verify(str(bomb), quiet, 8 * GIB)


def test_an_index_of_a_signed_image_that_states_another_size(bomb: Path) -> None:
    stated = VerifiedImage(
        path=str(bomb), size=bomb.stat().st_size, unpacked=GIB, content_bytes=0, entries=1, digest="00" * 32
    )
    with pytest.raises(IntegrityFault, match=f"states that it unpacks to {8 * GIB} bytes, should be {GIB}"):
        XzTarArchives(SystemProcesses()).verify_stored(stated, quiet, 64 * GIB)


def test_blocks_without_content_take_little_memory(xz_of: XzOf, tmp_path: Path) -> None:
    """Each is an object here, and must not be a task, a queue and a lock as well."""
    path = tmp_path / "x.upd"
    path.write_bytes(xz_of([b""] * 500) * 60)
    tracemalloc.start()
    try:
        with pytest.raises(IntegrityFault, match="end mark"):
            XzTarArchives(SystemProcesses()).verify(str(path), quiet, GIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30_000 * 500


def test_the_number_of_blocks_is_limited(xz_of: XzOf) -> None:
    data = xz_of([b""] * 2000) * 66
    with pytest.raises(IntegrityFault, match="more than 65536 streams or 131072 blocks"):
        read_layout("x", len(data), lambda offset, size: data[offset : offset + size])


def header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.USTAR_FORMAT)


def extension(kind: bytes, payload: bytes) -> bytes:
    return header("x", kind, len(payload)) + payload + bytes(-len(payload) % 512)


def sparse(real: int) -> bytes:
    """A file of the old GNU format that is one hole: a header, and no data."""
    info = tarfile.TarInfo("holes")
    info.type = tarfile.GNUTYPE_SPARSE
    field = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    entry = _large(real) + _large(0)
    field[386 : 386 + len(entry)] = entry
    field[483:495] = _large(real)
    field[148:156] = b" " * 8
    field[148:156] = b"%06o\0 " % sum(field)
    return bytes(field)


def _large(value: int) -> bytes:
    return b"\x80" + bytes(3) + struct.pack(">Q", value)


def refused_after(pieces: Iterable[bytes], most: int, memory: int) -> str:
    """The reason, if the archive is refused within ``most`` bytes and with so much memory."""
    walker, fed = TarWalker("x", captured_names(Branding())), 0
    tracemalloc.start()
    try:
        for piece in pieces:
            walker.feed(piece)
            fed += len(piece)
            assert fed <= most
        raise AssertionError("taken")
    except IntegrityFault as fault:
        _, peak = tracemalloc.get_traced_memory()
        assert peak <= memory
        return str(fault)
    finally:
        tracemalloc.stop()


def many_records() -> Iterator[bytes]:
    """2.8 million of 6 bytes, in one header."""
    yield extension(b"x", b"6 a=b\n" * (16 * MIB // 6))


def many_keywords() -> Iterator[bytes]:
    yield extension(b"x", b"".join(b"13 %07d=b\n" % number for number in range(MIB)))


def files_in_boot() -> Iterator[bytes]:
    return (header(f"boot/{number}", size=64 << 10) + bytes(64 << 10) for number in count())


def one_file_in_boot() -> Iterator[bytes]:
    """The same one again, and no more than a header of it."""
    return repeat(header("boot/vmlinuz"))


def links_in_boot() -> Iterator[bytes]:
    def link(number: int) -> bytes:
        info = tarfile.TarInfo(f"boot/{number}")
        info.type, info.linkname = tarfile.SYMTYPE, "x" * 4000
        return info.tobuf(tarfile.GNU_FORMAT)

    return map(link, count())


def regions() -> Iterator[bytes]:
    """A map of 2 million regions, to be read from the data."""
    pairs = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n28 GNU.sparse.realsize=4096\n"
    yield extension(b"x", pairs) + header("file", size=512 * MIB)
    yield b"2000000\n".ljust(512, b"\0")


def old_regions() -> Iterator[bytes]:
    """The same in the old format, in blocks before the data."""
    first = bytearray(sparse(1 << 40))
    first[386:482] = b"".join(_large(1024 * number) + _large(512) for number in range(4))
    first[482] = 1
    first[148:156] = b" " * 8
    first[148:156] = b"%06o\0 " % sum(first)
    blocks = (
        b"".join(_large(1024 * number) + _large(512) for number in range(start, start + 21)) + b"\1" + bytes(7)
        for start in count(4, 21)
    )
    return chain([bytes(first)], blocks)


@pytest.mark.parametrize(
    ("bomb", "most", "memory", "reason"),
    [
        (many_records, 0, 100 * MIB, "more than 262144 records"),
        (many_keywords, 0, 170 * MIB, "more than 262144 records"),
        (files_in_boot, 70 * MIB, 80 * MIB, "the files in boot and those of accounts are more"),
        (one_file_in_boot, 10 * MIB, 5 * MIB, "the files in boot and those of accounts are more"),
        (links_in_boot, 100 * MIB, 140 * MIB, "the files in boot and those of accounts are more"),
        (regions, MIB, 2 * MIB, "number of regions"),
        (old_regions, 10 * MIB, 60 * MIB, "more than 262144 regions"),
    ],
)
def test_archives_that_want_memory(bomb: Callable[[], Iterator[bytes]], most: int, memory: int, reason: str) -> None:
    assert reason in refused_after(bomb(), most, memory)


def test_the_number_of_members_is_limited() -> None:
    """A member takes memory, and 512 bytes of an archive, of which xz makes nothing."""
    totals = Totals()
    for _ in range(MAX_MEMBERS):
        totals.add_member()
    with pytest.raises(Malformed, match="more than 2097152 members"):
        totals.add_member()


def test_the_memory_for_names_is_limited() -> None:
    """Of usual length, in folders of their own."""
    assert 200_000 < members_taken(b"%0200d/x" % number for number in range(400_000)) < 400_000


def members_taken(names: Iterable[bytes]) -> int:
    """How many folders are taken before the memory for their names is used up."""
    paths, taken = MemberPaths(), 0
    with suppress(Malformed):
        for name in names:
            paths.add(name, FOLDER)
            taken += 1
    return taken


@given(st.lists(st.integers(0, MAX_CONTENT), max_size=9))
def test_no_header_inflates_the_total(sizes: list[int]) -> None:
    """Either the total is what the sizes add up to and a file system could hold, or the archive is refused."""
    totals = Totals()
    try:
        for size in sizes:
            totals.add_content(size)
    except Malformed:
        assert sum(sizes) > MAX_CONTENT
    else:
        assert totals.content_bytes == sum(sizes) <= MAX_CONTENT


def test_files_of_nothing_but_holes_are_limited_in_all() -> None:
    """65,537 headers of 512 bytes, and none has more than a file can have."""
    most = ((1 << 32) - 1) * 4096
    enough = MAX_CONTENT // most + 1
    walker = TarWalker("x", captured_names(Branding()))
    for one in islice(repeat(sparse(most)), enough - 1):
        walker.feed(one)
    with pytest.raises(IntegrityFault, match="more than a file system can have"):
        walker.feed(sparse(most))
