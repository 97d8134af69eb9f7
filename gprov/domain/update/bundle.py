"""Bundles: an image with the files beside it in one file, ``NAME.swu``, for update servers that store one.

A "newc" cpio archive (gprov.domain.formats.cpio), as SWUpdate's bundles are, of regular files in this order:

    sw-description            what the server reads
    trust.chain               of the owner, if the bundle has one
    NAME.upd.manifest
    NAME.upd.manifest.minisig
    NAME.upd

All in front of the image, the head, has some hundred kilobytes at most: a unit fetches it first, and decides before it
fetches the image.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.cpio import (
    HEADER_SIZE,
    MAX_FIELD,
    MemberHeader,
    aligned,
    opening,
    padded,
    parse_header,
    trailer,
)
from gprov.domain.formats.minisign import MAX_FILE
from gprov.domain.image.companions import companions_of, image_of_companion
from gprov.domain.image.manifest import MANIFEST_SUFFIX, MAX_MANIFEST
from gprov.domain.image.name import SUFFIX
from gprov.domain.trust.chain import CHAIN_FILE, MAX_CHAIN

BUNDLE_SUFFIX = ".swu"  # in place of .upd
DESCRIPTION_FILE = "sw-description"
MAX_DESCRIPTION = 64 << 10  # bytes
MAX_IMAGE = MAX_FIELD  # bytes: what the field of a header holds
_MAX_NAME = 300  # bytes, with the final NUL: more than the name of a file and its suffixes
_MODE = stat.S_IFREG | 0o600  # the manifest holds /etc/shadow of the image


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleHead:
    """``image``: name of its file, without folder; ``size``: bytes of the image. The other fields are contents of
    files; ``chain``: None if the bundle has none. Nothing of it is believed until the signature was checked."""

    image: str
    size: int
    description: bytes
    manifest: bytes
    signature: bytes
    chain: bytes | None = None


@dataclass(frozen=True, slots=True)
class FoundHead:
    """``offset``: of the image's first byte in the bundle."""

    head: BundleHead
    offset: int


@dataclass(frozen=True, slots=True)
class Incomplete:
    """``needed``: how many bytes from the beginning the next step needs at least."""

    needed: int


def bundle_head(head: BundleHead) -> bytes:
    """What stands in front of the image. Raises BadInput with every part that a reader would refuse."""
    manifest, signature = companions_of(head.image)
    chain = () if head.chain is None else ((CHAIN_FILE, head.chain),)
    files = ((DESCRIPTION_FILE, head.description), *chain, (manifest, head.manifest), (signature, head.signature))
    sizes = (*((name, len(content)) for name, content in files), (head.image, head.size))
    problems = [Problem(name, problem) for name, size in sizes if (problem := _problem(_kind(name), name, size))]
    if problems:
        raise BadInput("bundle", problems)
    out = b""
    for inode, (name, content) in enumerate(files, 1):
        out += opening(name, MemberHeader(inode=inode, mode=_MODE, size=len(content))) + padded(content)
    return out + opening(head.image, MemberHeader(inode=len(sizes), mode=_MODE, size=head.size))


def bundle_tail(size: int) -> bytes:
    """What stands behind an image of ``size`` bytes."""
    return bytes(aligned(size) - size) + trailer()


def read_head(source: str, data: bytes) -> FoundHead | Incomplete:
    """Read the beginning of a bundle. ``data``: its first bytes, as many as there are so far; ``source``: its name, for
    messages. Raises BadInput as soon as what is there is no bundle; at most ``MAX_HEAD`` bytes are ever needed."""
    position = 0
    found: dict[_Kind, bytes] = {}
    last, image = _Kind.NOTHING, ""
    while True:
        member = _member(source, data, position, last)
        if isinstance(member, Incomplete):
            return member
        belongs_to = member.name if member.kind is _Kind.IMAGE else image_of_companion(member.name)
        if image not in ("", belongs_to):
            raise BadInput(source, [Problem(f"byte {position}", f"{member.name!r} does not belong to {image!r}")])
        if member.kind is _Kind.IMAGE:
            return FoundHead(_head(member, found), member.start)
        end = member.start + member.size
        if end > len(data):
            return Incomplete(end)
        found[member.kind] = data[member.start : end]
        last, image, position = member.kind, belongs_to, aligned(end)


class _Kind(Enum):
    NOTHING = "nothing"
    DESCRIPTION = DESCRIPTION_FILE
    CHAIN = CHAIN_FILE
    MANIFEST = "a manifest"
    SIGNATURE = "a signature"
    IMAGE = "an image"


_AFTER = {
    _Kind.NOTHING: (_Kind.DESCRIPTION,),
    _Kind.DESCRIPTION: (_Kind.CHAIN, _Kind.MANIFEST),
    _Kind.CHAIN: (_Kind.MANIFEST,),
    _Kind.MANIFEST: (_Kind.SIGNATURE,),
    _Kind.SIGNATURE: (_Kind.IMAGE,),
}
_LARGEST = {
    _Kind.DESCRIPTION: MAX_DESCRIPTION,
    _Kind.CHAIN: MAX_CHAIN,
    _Kind.MANIFEST: MAX_MANIFEST,
    _Kind.SIGNATURE: MAX_FILE,
    _Kind.IMAGE: MAX_IMAGE,
}
_OPENING = aligned(HEADER_SIZE + _MAX_NAME)
MAX_HEAD = _OPENING + sum(_OPENING + aligned(most) for kind, most in _LARGEST.items() if kind is not _Kind.IMAGE)


@dataclass(frozen=True, slots=True)
class _Member:
    """``start``: of the content."""

    name: str
    kind: _Kind
    start: int
    size: int


def _head(image: _Member, found: Mapping[_Kind, bytes]) -> BundleHead:
    return BundleHead(
        image=image.name,
        size=image.size,
        description=found[_Kind.DESCRIPTION],
        manifest=found[_Kind.MANIFEST],
        signature=found[_Kind.SIGNATURE],
        chain=found.get(_Kind.CHAIN),
    )


def _member(source: str, data: bytes, position: int, last: _Kind) -> _Member | Incomplete:
    """The member at ``position``, behind one of the kind ``last``, without its content."""
    if len(data) < position + HEADER_SIZE:
        return Incomplete(position + HEADER_SIZE)
    header = parse_header(source, position, data[position : position + HEADER_SIZE])
    place = f"byte {position}"
    if not stat.S_ISREG(header.mode) or not 1 < header.name_size <= _MAX_NAME:
        raise BadInput(source, [Problem(place, f"a member that is no file with a name of 1 to {_MAX_NAME - 1} bytes")])
    name_end = position + HEADER_SIZE + header.name_size
    if len(data) < name_end:
        return Incomplete(name_end)
    name = data[position + HEADER_SIZE : name_end - 1].decode("utf-8", "backslashreplace")
    kind, expected = _kind(name), _AFTER[last]
    if kind not in expected:
        wanted = " or ".join(one.value for one in expected)
        raise BadInput(source, [Problem(place, f"{wanted} must follow, found {name!r}")])
    if problem := _problem(kind, name, header.size):
        raise BadInput(source, [Problem(place, f"{name!r} {problem}")])
    return _Member(name, kind, aligned(name_end), header.size)


def _kind(name: str) -> _Kind:
    if name == DESCRIPTION_FILE:
        return _Kind.DESCRIPTION
    if name == CHAIN_FILE:
        return _Kind.CHAIN
    if name.endswith(SUFFIX):
        return _Kind.IMAGE
    if not image_of_companion(name):
        return _Kind.NOTHING
    return _Kind.MANIFEST if name.endswith(MANIFEST_SUFFIX) else _Kind.SIGNATURE


def _problem(kind: _Kind, name: str, size: int) -> str:
    """Why a file of this name and size cannot be in a bundle; "" if it can."""
    if kind is _Kind.NOTHING or "/" in name or "\0" in name or len(name.encode()) >= _MAX_NAME:
        return "is not the name of an image or of a file beside one"
    if not 0 < size <= _LARGEST[kind]:
        return f"has {size} bytes, must have 1 to {_LARGEST[kind]}"
    return ""
