"""Files, folders and links of a simulated volume as a value that is cheap to copy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from posixpath import dirname, normpath

from gprov.domain.errors import DeviceFault
from gprov.domain.files import FileType


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One file, folder or link. ``content`` is the data of a file or the text of a link."""

    type: FileType
    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0

    def __deepcopy__(self, memo: dict[int, object]) -> Node:
        """Nodes are immutable: copies of a machine share them."""
        return self


class Tree:
    """Paths are absolute within the volume and normal ("/etc/hostname"); the root folder always exists."""

    def __init__(self, nodes: dict[str, Node] | None = None) -> None:
        self._nodes = {"/": Node(type=FileType.FOLDER, mode=0o755)} if nodes is None else nodes

    def copy(self) -> Tree:
        return Tree(dict(self._nodes))

    def __deepcopy__(self, memo: dict[int, object]) -> Tree:
        return self.copy()

    def items(self) -> tuple[tuple[str, Node], ...]:
        return tuple(sorted(self._nodes.items()))

    def get(self, path: str) -> Node | None:
        return self._nodes.get(path)

    def put(self, path: str, node: Node) -> None:
        """Set a node, making missing parent folders."""
        parent = dirname(path)
        if parent != path and parent not in self._nodes:
            self.put(parent, Node(type=FileType.FOLDER, mode=0o755))
        self._nodes[path] = node

    def drop(self, path: str) -> None:
        """Remove a node and its children."""
        for name in self.below(path):
            del self._nodes[name]

    def below(self, path: str) -> list[str]:
        """Return the path, if it exists, and all paths below it, without the root folder."""
        start = path.rstrip("/") + "/"
        node = self._nodes.get(path)
        if node is not None and node.type is not FileType.FOLDER:
            return [path]
        return [name for name in self._nodes if (name == path or name.startswith(start)) and name != "/"]

    def children(self, folder: str) -> tuple[str, ...]:
        return tuple(sorted(name.rsplit("/", 1)[1] for name in self._nodes if name != "/" and dirname(name) == folder))

    def resolve(self, path: str, depth: int = 0) -> str:
        """Follow symbolic links in every component; absolute link texts stay within the volume."""
        if depth > 16:
            raise DeviceFault(path, "too many levels of symbolic links")
        done = ""
        parts = [part for part in normpath(path).split("/") if part]
        for index, part in enumerate(parts):
            done = f"{done}/{part}"
            node = self._nodes.get(done)
            if node is not None and node.type is FileType.SYMLINK:
                text = node.content.decode()
                base = text if text.startswith("/") else f"{dirname(done)}/{text}"
                return self.resolve("/".join((base, *parts[index + 1 :])), depth + 1)
        return done or "/"

    def size(self) -> int:
        return sum(len(node.content) for node in self._nodes.values())

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self._nodes))


def changed(node: Node, *, mode: int, uid: int, gid: int) -> Node:
    """The node with other permissions."""
    return replace(node, mode=mode, uid=uid, gid=gid)


def parents(path: str) -> list[str]:
    """From the root folder down."""
    found = []
    while path not in ("/", ""):
        path = dirname(path)
        found.append(path)
    return found[::-1]
