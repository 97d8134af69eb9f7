"""An archive as an image should have it, made of any archive as it streams by: extended headers are written anew with
what a unit can use of them (GNU tar manual, "pax Interchange Format"), data stay as they are.

Modification times are whole seconds. They stand in the header, or in an extended header if they do not fit there
(before 1970, after 2242).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gprov.domain.formats.image.account_files import AccountFiles
from gprov.domain.formats.image.tar_extensions import pax_time
from gprov.domain.formats.image.tar_fields import (
    BLOCK,
    ZERO_BLOCK,
    Malformed,
    decimal,
    member_name,
    number,
    pax_pairs,
    text,
)
from gprov.domain.formats.image.tar_names import FOLDER
from gprov.domain.formats.image.tidy_attributes import Accounts, Pairs, tidy_attributes
from gprov.domain.formats.printable import printable_name

# up to so many bytes of the archive; fewer only at its end
Read = Callable[[int], bytes]

_CHUNK = 1 << 20
_MAX_EXTENSION = 16 << 20
_PAX, _EXTENSIONS, _DATA = b"xX", b"xXLKg", b"0\x007SD"
_REGULAR = b"0\x007"
_LATEST_IN_HEADER = 8**11 - 1
# What decides where a member goes and what it is; all else that tar has no use for is left out.
_KEPT = (b"path", b"linkpath", b"size", b"uid", b"gid")
_SPARSE = b"GNU.sparse."
_PASSED_OVER = (b"atime", b"ctime", b"uname", b"gname", b"comment", b"hdrcharset", b"charset")
_MAX_NOTES = 50


class Tidier:
    """``run`` may be called again with another ``read`` from the start: the first time it learns the image's accounts,
    the second time it uses them."""

    def __init__(self) -> None:
        self._files = AccountFiles()
        self._accounts = Accounts()
        self._left_out: dict[str, tuple[int, bytes]] = {}

    @property
    def left_out(self) -> tuple[str, ...]:
        """By the last run, a line each."""
        return tuple(
            f"left out: {text} ({n} times; first of {printable_name(name)})"
            for text, (n, name) in self._left_out.items()
        )

    def run(self, read: Read) -> Iterator[bytes]:
        """The archive in pieces. Raises Malformed for headers that cannot be read; others are checked when the image
        is verified."""
        self._left_out.clear()
        self._accounts, self._files = self._files.accounts(), AccountFiles()
        waiting: list[tuple[bytes, bytes]] = []  # extended headers and their payloads
        while block := read(BLOCK):
            kind = block[156:157]
            if block == ZERO_BLOCK or len(block) < BLOCK:
                yield from (header + payload for header, payload in waiting)  # refused when the image is verified
                waiting = []
                yield block
            elif kind in _EXTENSIONS:
                waiting.append((block, _payload(read, number(block[124:136]))))
            else:
                yield from self._member(block, waiting, read)
                waiting = []
        for header, payload in waiting:
            yield header + payload

    def _member(self, header: bytes, waiting: list[tuple[bytes, bytes]], read: Read) -> Iterator[bytes]:
        kind = header[156:157]
        pairs = [pair for block, content in waiting if block[156:157] in _PAX for pair in _pairs(block, content)]
        long = {block[156:157]: text(content) for block, content in waiting if block[156:157] in b"LK"}
        found = dict(pairs)
        name = found.get(b"path") or long.get(b"L") or member_name(header)
        target = found.get(b"linkpath") or long.get(b"K") or text(header[157:257])
        kept, header = self._tidy(pairs, header, name)
        for block, content in waiting:
            if block[156:157] not in _PAX:
                yield block + content
        if kept:
            first = next(block for block, _ in waiting if block[156:157] in _PAX)
            yield _extension(first, kept, header)
        yield header
        if kind not in _DATA:
            self._files.add(name, kind, target, 0)
            return
        size = decimal(found[b"size"], "size") if b"size" in found else number(header[124:136])
        if kind == b"S":
            yield from _map(header, read)
        # Of a sparse file in the pax format, the data begin with a map.
        sparse = any(key.startswith(_SPARSE) for key in found)
        wanted = self._files.add(name, b"S" if sparse else _type(kind, name), target, size)
        yield from self._data(size, read, wanted=wanted)

    def _tidy(self, pairs: Pairs, header: bytes, name: bytes) -> tuple[Pairs, bytes]:
        """The records that stay, and the header with the modification time."""
        kind = _type(header[156:157], name)
        pairs = tidy_attributes(pairs, kind, self._accounts, lambda what: self._note(what, name))
        kept = [(key, value) for key, value in pairs if key in _KEPT or key.startswith(_SPARSE)]
        times = [value for key, value in pairs if key == b"mtime"]
        if times:
            seconds = pax_time(b"mtime", times[-1])
            in_header = 0 <= seconds <= _LATEST_IN_HEADER
            header = _with(header, (136, b"%011o\0" % (seconds if in_header else 0)))
            kept += [] if in_header else [(b"mtime", str(seconds).encode())]
        for key, _ in pairs:
            own = key == b"mtime" or key in _PASSED_OVER or key in _KEPT or key.startswith(_SPARSE)
            if not own and not _is_attribute(key):
                self._note(f"keyword {printable_name(key)}, which tar passes over", name)
        return [*kept, *(pair for pair in pairs if _is_attribute(pair[0]))], header

    def _data(self, size: int, read: Read, *, wanted: bool) -> Iterator[bytes]:
        if wanted:
            content = _payload(read, size)
            self._files.store(content[:size])
            yield content
            return
        rest = (size + BLOCK - 1) // BLOCK * BLOCK
        while rest:
            data = read(min(rest, _CHUNK))
            if not data:
                return
            rest -= len(data)
            yield data

    def _note(self, what: str, name: bytes) -> None:
        count, first = self._left_out.get(what, (0, name))
        if count or len(self._left_out) < _MAX_NOTES:
            self._left_out[what] = (count + 1, first)


def _type(kind: bytes, name: bytes) -> bytes:
    """Old archives and incremental ones write folders otherwise."""
    return FOLDER if kind == b"D" or (kind in _REGULAR and name[-1:] == b"/") else kind


def _is_attribute(key: bytes) -> bool:
    return key.startswith((b"SCHILY.xattr.", b"SCHILY.acl.access", b"SCHILY.acl.default", b"RHT.security.selinux"))


def _payload(read: Read, size: int) -> bytes:
    if size > _MAX_EXTENSION:
        raise Malformed(f"an extended header has {size} bytes")
    return read((size + BLOCK - 1) // BLOCK * BLOCK)


def _pairs(header: bytes, content: bytes) -> Pairs:
    return pax_pairs(content[: number(header[124:136])])


def _map(header: bytes, read: Read) -> Iterator[bytes]:
    """Blocks that continue the map of an old GNU sparse file."""
    more = header[482]
    while more:
        block = read(BLOCK)
        if len(block) < BLOCK:
            return
        more = block[504]
        yield block


def _extension(header: bytes, pairs: Pairs, member: bytes) -> bytes:
    """An extended header with these records and the time of its member."""
    content = b"".join(_record(key, value) for key, value in pairs)
    header = _with(header, (124, b"%011o\0" % len(content)), (136, member[136:148]), (156, b"x"))
    return header + content + bytes(-len(content) % BLOCK)


def _record(key: bytes, value: bytes) -> bytes:
    rest = b" " + key + b"=" + value + b"\n"
    size = len(rest) + 1
    while len(str(size)) + len(rest) != size:
        size = len(str(size)) + len(rest)
    return str(size).encode() + rest


def _with(header: bytes, *fields: tuple[int, bytes]) -> bytes:
    """A header with other content in these places, and the checksum of that."""
    block = bytearray(header)
    for offset, content in fields:
        block[offset : offset + len(content)] = content
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)
