"""Writes "newc" cpio archives, the format of an initramfs (gprov.domain.formats.cpio).

The same nodes always give the same bytes: sorted by path, owned by root, dated 1970, numbered in order. Writing
device nodes needs no privilege.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.cpio import ALIGN, MAX_FIELD, TRAILER, MemberHeader, opening, trailer

_MAX_NAME = 4095  # the kernel skips members with longer names without a message (PATH_MAX with its NUL)
_TYPES = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK)


@dataclass(frozen=True, slots=True)
class Node:
    """A member. ``path`` is relative to the root, without leading or trailing slash; ``mode`` holds type and
    permissions as in ``st_mode``; ``content`` is a file's bytes or a symbolic link's target; ``device`` is
    (major, minor) of a device node."""

    path: str
    mode: int
    content: bytes = field(default=b"", repr=False)
    device: tuple[int, int] = (0, 0)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


def folder(path: str, permissions: int = 0o755) -> Node:
    return Node(path, stat.S_IFDIR | permissions)


def regular(path: str, content: bytes, permissions: int = 0o644) -> Node:
    return Node(path, stat.S_IFREG | permissions, content)


def symlink(path: str, target: str) -> Node:
    return Node(path, stat.S_IFLNK | 0o777, target.encode())


def device_node(path: str, kind: str, major: int, minor: int, permissions: int = 0o600) -> Node:
    """``kind`` is "c" (character) or "b" (block)."""
    return Node(path, (stat.S_IFCHR if kind == "c" else stat.S_IFBLK) | permissions, device=(major, minor))


def archive(nodes: Iterable[Node]) -> bytes:
    """Return the archive. Raises BadInput with every node that cannot be stored."""
    # Sorted by path components: a folder comes before its content, as the kernel requires.
    ordered = sorted(nodes, key=lambda node: node.path.split("/"))
    _check(ordered)
    out = bytearray()
    for inode, node in enumerate(ordered, 1):
        _append(out, node, inode)
    return bytes(out + trailer())


def _append(out: bytearray, node: Node, inode: int) -> None:
    links = 2 if node.is_folder else 1
    size = len(node.content)
    out += opening(
        node.path,
        MemberHeader(inode=inode, mode=node.mode, links=links, size=size, device=node.device),
    )
    out += node.content
    out += bytes(-size % ALIGN)


def _check(ordered: list[Node]) -> None:
    problems = [Problem(node.path, problem) for node in ordered for problem in _problems(node)]
    problems += [Problem(a.path, "path is used twice") for a, b in pairwise(ordered) if a.path == b.path]
    folders = {node.path for node in ordered if node.is_folder}
    for node in ordered:
        parent = node.path.rpartition("/")[0]
        if parent and parent not in folders:
            problems.append(Problem(node.path, f"its folder {parent} is not in the archive"))
    if problems:
        raise BadInput("initramfs", problems)


def _problems(node: Node) -> Iterable[str]:
    parts = node.path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in node.path or node.path == TRAILER:
        yield "is not a path inside the archive"
    if len(node.path.encode()) > _MAX_NAME:
        yield "has too long a name"
    if stat.S_IFMT(node.mode) not in _TYPES:
        yield f"has the unknown type {stat.S_IFMT(node.mode):o}"
    if len(node.content) > MAX_FIELD:
        yield "is larger than 4 GiB"
    if node.content and not (stat.S_ISREG(node.mode) or stat.S_ISLNK(node.mode)):
        yield "has content, but is neither file nor link"
    if stat.S_ISLNK(node.mode) and not 0 < len(node.content) <= _MAX_NAME:
        yield "is a link with an empty or too long target"
    if any(not 0 <= number <= MAX_FIELD for number in node.device):
        yield "has a device number out of range"
