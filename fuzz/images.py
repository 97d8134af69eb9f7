"""Targets: images, their names and metadata."""

from __future__ import annotations

import io
import os
import struct
import tarfile
from contextlib import suppress

from fuzz import seeds
from fuzz.harness import Target, expect
from gprov.adapters.linux.archive.blocks import decode_block
from gprov.adapters.linux.archive.reader import ImageFile
from gprov.domain.branding import Branding
from gprov.domain.formats.image.tar_attributes import MAX_IN_BLOCK, attributes_of
from gprov.domain.formats.image.tar_fields import Malformed, pax_pairs
from gprov.domain.formats.image.tar_sparse import blocks_of, pax_sparse
from gprov.domain.formats.image.tar_tidy import Tidier
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.formats.image.tidy_attributes import Accounts, tidy_attributes
from gprov.domain.formats.image.xz_layout import read_layout
from gprov.domain.formats.posix_acl import BadAcl, acl_text, parse_acl, parse_raw_acl
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.decoding import decoding_limits
from gprov.domain.image.imgmeta import parse_imgmeta, serialise_imgmeta
from gprov.domain.image.name import parse_image_name
from gprov.domain.image.verify import verify_image

PREFIX = "WIDGET.LNX.SHINY."
NAME = f"{PREFIX}2024-02-29.0107.upd"
# A small file can unpack to any size: decoding stops after this number of bytes.
_MAX_DECODED = 8 << 20
_MEMORY = 32 << 20


def image_name(data: bytes) -> None:
    name = parse_image_name(data.decode("utf-8", "surrogateescape"), PREFIX)
    expect(parse_image_name(name.filename, PREFIX) == name, "a name that changes when it is written and read")


def xz_layout(data: bytes) -> None:
    layout = read_layout("x", len(data), lambda offset, size: data[offset : offset + size])
    ends = [block.end for block in layout.blocks]
    expect(all(0 < end <= len(data) for end in ends) and ends == sorted(ends), "blocks that are not in the file")


def xz_blocks(data: bytes) -> None:
    """Decode the blocks one after the other, as the adapter does."""
    fd = os.memfd_create("fuzz")
    try:
        os.write(fd, data)
        with ImageFile(f"/proc/self/fd/{fd}") as file:
            layout = read_layout("x", file.size, file.read_at)
            if decoding_limits(layout, 1, _MEMORY).needed > _MEMORY:
                return
            done = 0
            for block in layout.blocks:
                for piece in decode_block(file, block):
                    done += len(piece.data)
                    if done > _MAX_DECODED:
                        return
    finally:
        os.close(fd)


def verified_image(data: bytes) -> None:
    """xz and tar together, except archives that unpack to more than the limit."""
    layout = read_layout("x", len(data), lambda offset, size: data[offset : offset + size])
    if layout.uncompressed_size <= _MAX_DECODED and decoding_limits(layout, 1, _MEMORY).needed <= _MEMORY:
        verify_image("x", data)


def tar_walk(data: bytes) -> None:
    """Feeding an archive in pieces gives the same result."""
    whole = TarWalker("x", captured_names(Branding()))
    whole.feed(data)
    summary = whole.finish()
    parts = TarWalker("x", captured_names(Branding()))
    step = 300 + len(data) % 1500
    for start in range(0, len(data), step):
        parts.feed(data[start : start + step])
    expect(parts.finish() == summary, "an archive that reads differently in pieces")


def tidy(data: bytes) -> None:
    """What an image is made of: tidied twice, it stays as it is."""

    def run(content: bytes) -> bytes:
        tidier = Tidier()
        for _ in tidier.run(io.BytesIO(content).read):
            pass
        return b"".join(tidier.run(io.BytesIO(content).read))

    try:
        once = run(data)
    except Malformed:
        return
    expect(run(once) == once, "an archive that changes when it is tidied again")


def acl(data: bytes) -> None:
    """A list as text, or as an attribute."""
    for parse in (parse_acl, parse_raw_acl):
        with suppress(BadAcl):
            found = parse(data)
            named = any(entry.name for entry in found)
            expect(named or parse_acl(acl_text(found).encode()) == found, "a list that reads differently when written")


def attributes(data: bytes) -> None:
    """Records of an extended header, for each kind of member; and sparse maps in them."""
    try:
        pairs = pax_pairs(data)
    except Malformed:
        return
    for kind in (b"0", b"1", b"2", b"3", b"5", b"6"):
        left_out: list[str] = []
        tidied = tidy_attributes(pairs, kind, Accounts(), left_out.append)
        expect(attributes_of(tidied, kind, b"x").size <= MAX_IN_BLOCK, "attributes that do not fit")
        with suppress(Malformed):
            attributes_of(pairs, kind, b"x")
    with suppress(Malformed):
        found = pax_sparse(pairs, 512)
        expect(not isinstance(found, list) or blocks_of(found) <= 1 + len(found), "more blocks than data")


def imgmeta(data: bytes) -> None:
    meta = parse_imgmeta("x", data)
    expect(parse_imgmeta("x", serialise_imgmeta(meta)) == meta, "metadata that change when they are written and read")
    meta.mismatch(parse_image_name(NAME, PREFIX))


TAR_SEEDS = (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
TAR_WORDS = (
    b"ustar\x0000",
    b"ustar  \0",
    b"path=",
    b"size=",
    b"linkpath=",
    b"GNU.sparse.name=",
    b"../",
    b"./",
    b"\x80",
)
_PAX_WORDS = (b"SCHILY.xattr.user.", b"SCHILY.acl.access=", b"security.capability=", b"GNU.sparse.", b"numblocks=")
_XZ_WORDS = (b"\xfd7zXZ\0\0\x0a", b"YZ", b"\0\x0a", b"\x21\x01\x16", b"\x80\x80")


def _tars() -> list[bytes]:
    return [
        *(seeds.root_tar(kind) for kind in TAR_SEEDS),
        seeds.sparse_tar(),
        seeds.odd_tar(),
        seeds.tar({"a": b"1"}) * 2,
    ]


def _acls() -> list[bytes]:
    raw = b"".join(struct.pack("<HHI", tag, 6, 7) for tag in (1, 2, 4, 8, 16, 32))
    return [
        b"user::rw-,user:a:rwx,user:7:r--,group::r--,mask::rwx,other::---",
        b"u::r\ng::w\no::x\n",
        b"\2\0\0\0" + raw,
    ]


def _records() -> list[bytes]:
    """The payloads of extended headers."""
    archive = seeds.odd_tar()
    starts = [at for at in range(0, len(archive), 512) if archive[at + 156 : at + 157] == b"x"]
    return [archive[at + 512 : at + 512 + int(archive[at + 124 : at + 135], 8)] for at in starts]


def _images() -> list[bytes]:
    tar = seeds.root_tar()
    return [seeds.xz(tar), seeds.xz(tar[:4000], tar[4000:]) + bytes(4), seeds.xz(b"")]


TARGETS = (
    Target(
        "image-name", "image names", image_name, lambda: [NAME.encode(), b"x.2024-01-01.9.upd"], (b".upd", b"2024-")
    ),
    Target("xz-layout", "xz: streams, indexes, blocks", xz_layout, _images, _XZ_WORDS),
    Target(
        "xz-layout-sealed", "the same, checksums right", xz_layout, _images, _XZ_WORDS, seeds.with_valid_checksums_xz
    ),
    Target("xz-blocks", "xz: decoding of blocks", xz_blocks, _images, _XZ_WORDS),
    Target(
        "xz-blocks-sealed", "the same, checksums right", xz_blocks, _images, _XZ_WORDS, seeds.with_valid_checksums_xz
    ),
    Target("image", "xz and tar together", verified_image, _images, _XZ_WORDS),
    Target("tar", "tar of an image", tar_walk, _tars, TAR_WORDS),
    Target("tar-sealed", "the same, checksums right", tar_walk, _tars, TAR_WORDS, seeds.with_valid_checksums_tar),
    Target("tidy", "an archive that an image is made of", tidy, _tars, TAR_WORDS),
    Target("tidy-sealed", "the same, checksums right", tidy, _tars, TAR_WORDS, seeds.with_valid_checksums_tar),
    Target("acl", "access control lists", acl, _acls, (b"user:", b"mask::", b"rwx", b"\2\0\0\0", b"\xff\xff\xff\xff")),
    Target("attributes", "attributes and sparse maps of pax", attributes, _records, _PAX_WORDS),
    Target(
        "imgmeta",
        "imgmeta.json",
        imgmeta,
        lambda: [seeds.document({"BinVer": "1", "BinTime": "2402290107", "ImgName": NAME, "Stream": "s"})],
        (b'"BinTime"', b'"ImgJob"', b"\\ud800"),
    ),
)
