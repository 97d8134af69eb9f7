"""Archives and .xz files made by other hands: tarfile, and a small writer of our own that liblzma reads back."""

from __future__ import annotations

import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import pytest

TarOf = Callable[[Mapping[str, bytes]], bytes]
XzOf = Callable[..., bytes]
LZMA2: dict[str, int] = {"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 65536}


def write_tar(members: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return archive.getvalue()


def write_xz(
    blocks: Sequence[bytes],
    *,
    check: int = 10,
    sizes: bool = True,
    filters: Sequence[Mapping[str, int]] = (LZMA2,),
    padding: int = 0,
    alter: Callable[[bytes], bytes] = bytes,
    told: tuple[int, int] = (0, 0),
    indexed: int = 0,
) -> bytes:
    """One stream; ``sizes``: block headers carry them; ``padding``: null bytes behind it. Wrong on purpose: ``alter``
    changes the compressed data, ``told`` is added to the sizes in block headers,
    ``indexed`` to the sizes of content in the index."""
    flags = bytes((0, check))
    body = b""
    index = b"\0" + _vli(len(blocks))
    for content in blocks:
        data = lzma.compress(content, format=lzma.FORMAT_RAW, filters=[dict(one) for one in filters])
        data = alter(data)
        header = _block_header(len(data) + told[0], len(content) + told[1], filters, sizes)
        unpadded = header + data + _check(check, content)
        body += header + data + bytes(-len(data) % 4) + _check(check, content)
        index += _vli(len(unpadded)) + _vli(len(content) + indexed)
    index += bytes(-len(index) % 4)
    index += _crc(index)
    tail = (len(index) // 4 - 1).to_bytes(4, "little") + flags
    head = b"\xfd7zXZ\0" + flags + _crc(flags)
    return head + body + index + _crc(tail) + tail + b"YZ" + bytes(padding)


def _block_header(packed: int, unpacked: int, filters: Sequence[Mapping[str, int]], sizes: bool) -> bytes:
    header = bytes(((len(filters) - 1) | (0xC0 if sizes else 0),))
    if sizes:
        header += _vli(packed) + _vli(unpacked)
    for one in filters:
        # liblzma's own encoding of the properties
        properties = lzma._encode_filter_properties(dict(one))  # type: ignore[attr-defined]  # not in typeshed
        header += _vli(one["id"]) + _vli(len(properties)) + properties
    header += bytes(-(len(header) + 1) % 4)
    header = bytes(((len(header) + 1) // 4,)) + header
    return header + _crc(header)


def _check(kind: int, content: bytes) -> bytes:
    checks = {0: b"", 1: _crc(content), 4: bytes(8), 10: sha256(content).digest()}  # CRC64 is not needed right
    return checks[kind]


def _vli(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))


def _crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


@pytest.fixture(scope="session")
def tar_of() -> TarOf:
    """name → content, as a pax archive."""
    return write_tar


@pytest.fixture(scope="session")
def xz_of() -> XzOf:
    """See ``write_xz``."""
    return write_xz


@pytest.fixture(scope="session")
def root_tar(tar_of: TarOf) -> bytes:
    """Two members, small."""
    return tar_of({"etc/passwd": b"root:x:0:0::/root:/bin/sh\n", "usr/lib/systemd/systemd": b"\x7fELF"})


@pytest.fixture(scope="session")
def image(root_tar: bytes, xz_of: XzOf) -> bytes:
    """A valid image of two streams, the first of two blocks and with padding behind it."""
    return xz_of([root_tar[:3000], root_tar[3000:5000]], padding=8) + xz_of([root_tar[5000:]], sizes=False)
