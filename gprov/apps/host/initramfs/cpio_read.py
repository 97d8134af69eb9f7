"""Reads "newc" cpio archives, as this project, cpio(1) and Buildroot write them. Format: see cpio.

Owners, dates and numbers of files are not kept. Members of an archive that consist of several names for one file (hard
links) each get the content, which cpio stores with the last of them.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gprov.apps.host.initramfs.cpio import ALIGN, MAGIC, TRAILER, Node
from gprov.domain.errors import BadInput, Problem

_FIELDS = 13
_DIGITS = 8
_HEADER = len(MAGIC) + _FIELDS * _DIGITS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    node: Node
    inode: tuple[int, ...]
    links: int


def read_archive(content: bytes, name: str) -> tuple[Node, ...]:
    """Return the members in order, but for the root folder. ``name``: of the archive, for messages. Raises BadInput."""
    members = list(_members(content, name))
    return tuple(replace(each.node, content=_contents(members).get(each.inode, each.node.content)) for each in members)


def _contents(members: list[_Member]) -> Mapping[tuple[int, ...], bytes]:
    """Content by inode of the files with several names."""
    shared = (each for each in members if each.links > 1 and stat.S_ISREG(each.node.mode))
    return {each.inode: each.node.content for each in shared if each.node.content}


def _members(content: bytes, name: str) -> Iterator[_Member]:
    position = 0
    while True:
        header = content[position : position + _HEADER]
        if header[: len(MAGIC)] != MAGIC[: len(header)]:
            raise BadInput(name, [Problem(f"byte {position}", 'no header of a cpio archive ("newc")')])
        if len(header) < _HEADER:
            raise BadInput(name, [Problem(f"byte {position}", "the archive ends without its trailer")])
        numbers = _numbers(header, name, position)
        inode, mode, _, _, links, _, size, *place = numbers[:9]
        device, length = (numbers[9], numbers[10]), numbers[11]
        start = position + _HEADER
        body = _aligned(start + length)
        end = body + size
        if length == 0 or end > len(content):
            raise BadInput(name, [Problem(f"byte {position}", "a member that is cut off, or has no name")])
        path = _path(content[start : start + length - 1])
        if path == TRAILER:
            return
        if path:
            node = Node(path, mode, content[body:end], device)
            yield _Member(node=node, inode=(inode, *place), links=links)
        position = _aligned(end)


def _numbers(header: bytes, name: str, position: int) -> list[int]:
    digits = header[len(MAGIC) :]
    try:
        return [int(digits[start : start + _DIGITS], 16) for start in range(0, len(digits), _DIGITS)]
    except ValueError as exc:
        raise BadInput(name, [Problem(f"byte {position}", "a header with other than hexadecimal digits")]) from exc


def _path(raw: bytes) -> str:
    """Without leading "./" and "/"; "" for the root folder."""
    path = raw.decode(errors="surrogateescape").removeprefix("./").lstrip("/")
    return "" if path == "." else path


def _aligned(position: int) -> int:
    return position + -position % ALIGN
