"""Expensive inputs of the largest accepted size: time must grow linearly with the size."""

from __future__ import annotations

import json
import tarfile
import time
import zlib
from collections.abc import Callable

import pytest

from gprov.domain.branding import Branding
from gprov.domain.errors import GprovError
from gprov.domain.factory.requests import MacReport, decode
from gprov.domain.factory.syntax import MAX_BODY
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.formats.image.xz_layout import read_layout
from gprov.domain.image.captured_names import captured_names
from gprov.domain.mfg.manuf import parse_manuf
from gprov.domain.unit.netsaved import parse_saved

SECONDS = 4.0  # of processor time; with quadratic algorithms each took minutes


def extended(payload: bytes, kind: bytes) -> bytes:
    info = tarfile.TarInfo("pax")
    info.type, info.size = kind, len(payload)
    return info.tobuf(tarfile.GNU_FORMAT) + payload + bytes(-len(payload) % 512)


def macs() -> None:
    nics = [{"name": str(number)} for number in range(110_000)]
    body = json.dumps({"serial": "SN", "session": "0" * 32, "nics": nics}).encode()[:MAX_BODY]
    decode(MacReport, body if body.endswith(b"}") else body[: body.rindex(b",")] + b"]}")


def saved_network() -> None:
    parse_saved("netd.tar", extended(b"1 comment=" * 200_000, b"x") + bytes(1024))


def long_name() -> None:
    walker = TarWalker("x", captured_names(Branding()))
    walker.feed(extended(b"a/" * 4_000_000 + b"b\0", b"L") + tarfile.TarInfo("x").tobuf())


def many_extended_headers() -> None:
    walker = TarWalker("x", captured_names(Branding()))
    for number in range(20_000):
        walker.feed(extended(b"%d key%05d=1\n" % (13, number), b"x"))


def deep_folders() -> None:
    """Each name implies 128 folders that no other name has."""
    walker = TarWalker("x", captured_names(Branding()))
    for number in range(2_000):
        name = b"%030d/" % number * 128 + b"f"
        walker.feed(extended(name + b"\0", b"L") + tarfile.TarInfo("x").tobuf())


def digits_of_a_sparse_map() -> None:
    walker = TarWalker("x", captured_names(Branding()))
    records = (b"22 GNU.sparse.major=1\n", b"22 GNU.sparse.minor=0\n", b"27 GNU.sparse.realsize=512\n")
    info = tarfile.TarInfo("x")
    info.size = 1 << 30
    walker.feed(extended(b"".join(records), b"x") + info.tobuf(tarfile.USTAR_FORMAT))
    walker.feed(b"1" * 1024)


def destinations() -> None:
    files = [{"Src": "http://h/x", "Dest": f"{number}/" + "a/" * 5_000 + "b"} for number in range(200)]
    document = {"Files": files, "LogEndpoint": "http://h/", "ValidationData": []}
    parse_manuf("x", json.dumps(document).encode(), Branding())


def index_of_millions() -> None:
    """Four million blocks: a few bytes each in the index of an xz file of 250 MB."""
    records = b"\x35\x01" * 4_000_000  # 53 and 1
    index = b"\0\x80\x92\xf4\x01" + records + b"\0" * 3
    index += zlib.crc32(index).to_bytes(4, "little")
    flags = b"\0\x0a"
    tail = (len(index) // 4 - 1).to_bytes(4, "little") + flags
    footer = zlib.crc32(tail).to_bytes(4, "little") + tail + b"YZ"
    head = b"\xfd7zXZ\0" + flags + zlib.crc32(flags).to_bytes(4, "little")
    size = 12 + 4_000_000 * 56 + len(index) + 12
    end = index + footer

    def read_at(offset: int, count: int) -> bytes:
        if offset < 12:
            return head[offset : offset + count]
        if offset >= size - len(end):
            return end[offset - (size - len(end)) :][:count]
        return bytes(count)

    read_layout("x", size, read_at)


@pytest.mark.parametrize(
    "read",
    [
        macs,
        saved_network,
        long_name,
        many_extended_headers,
        deep_folders,
        digits_of_a_sparse_map,
        destinations,
        index_of_millions,
    ],
)
def test_large_inputs_are_refused_within_seconds(read: Callable[[], None]) -> None:
    start = time.process_time()
    with pytest.raises(GprovError):
        read()
    assert time.process_time() - start < SECONDS


def test_a_chain_of_long_links_is_followed_within_seconds() -> None:
    walker = TarWalker("x", captured_names(Branding()))
    folder = tarfile.TarInfo("l38")
    folder.type = tarfile.DIRTYPE
    other = tarfile.TarInfo("other")
    other.type = tarfile.DIRTYPE
    walker.feed(folder.tobuf() + other.tobuf())
    for number in range(38):
        link = tarfile.TarInfo(f"l{number}")
        link.type, link.linkname = tarfile.SYMTYPE, "./" * 2040 + f"l{number + 1}"
        walker.feed(link.tobuf(tarfile.GNU_FORMAT))
    start = time.process_time()
    for number in range(2_000):
        walker.feed(tarfile.TarInfo(f"l0/{number}").tobuf() + tarfile.TarInfo(f"other/{number}").tobuf())
    walker.feed(bytes(1024))
    assert walker.finish().entries == 40 + 4_000
    assert time.process_time() - start < SECONDS
