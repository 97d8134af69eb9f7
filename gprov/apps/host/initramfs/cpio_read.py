"""Reads "newc" cpio archives, as this project, cpio(1) and Buildroot write them. Format: see gprov.domain.formats.cpio.

Owners, dates and numbers of files are not kept. Members of an archive that consist of several names for one file (hard
links) each get the content, which cpio stores with the last of them.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gprov.apps.host.initramfs.cpio import Node
from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.cpio import HEADER_SIZE, TRAILER, aligned, parse_header


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
        header = parse_header(name, position, content[position : position + HEADER_SIZE])
        start = position + HEADER_SIZE
        body = aligned(start + header.name_size)
        end = body + header.size
        if header.name_size == 0 or end > len(content):
            raise BadInput(name, [Problem(f"byte {position}", "a member that is cut off, or has no name")])
        path = _path(content[start : start + header.name_size - 1])
        if path == TRAILER:
            return
        if path:
            node = Node(path, header.mode, content[body:end], header.device)
            yield _Member(node=node, inode=(header.inode, *header.home), links=header.links)
        position = aligned(end)


def _path(raw: bytes) -> str:
    """Without leading "./" and "/"; "" for the root folder."""
    path = raw.decode(errors="surrogateescape").removeprefix("./").lstrip("/")
    return "" if path == "." else path
