"""File tree of an initramfs in memory."""

from __future__ import annotations

from gprov.apps.host.initramfs.cpio import Node, folder, symlink
from gprov.apps.host.initramfs.parts import FOLDERS, Part, PartSize
from gprov.domain.errors import BadInput, Problem

# The distribution's layout: one real folder per kind below /usr, and links for the old names.
MERGED_USR = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
# Paths below a link are stored below its target.


class RootTree:
    """Nodes by path, each with the part that it belongs to."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._parts: dict[str, Part] = {}
        self._problems: list[Problem] = []
        for link, target in MERGED_USR.items():
            self.add(folder(target), FOLDERS)
            self.add(symlink(link, target), FOLDERS)

    def add(self, node: Node, part: Part) -> None:
        """Add a node and its missing folders (0755). Equal nodes may be added twice; different nodes at one path are a
        problem, raised by ``finish``."""
        parent = node.path.rpartition("/")[0]
        if parent and parent not in self._nodes:
            self.add(folder(parent), FOLDERS)
        known = self._nodes.get(node.path)
        if known is None or known == folder(node.path):  # a declared folder replaces one that was added for its content
            self._nodes[node.path] = node
            self._parts[node.path] = part
        elif known != node:
            first = self._parts[node.path]
            self._problems.append(Problem(f"/{node.path}", f"differs between {first} and {part}"))

    def has(self, path: str) -> bool:
        """``path``: of a node, relative."""
        return path in self._nodes

    def nodes(self) -> tuple[Node, ...]:
        return tuple(self._nodes.values())

    def finish(self) -> tuple[Node, ...]:
        """Return all nodes. Raises BadInput if parts added different nodes at one path."""
        if self._problems:
            raise BadInput("initramfs", self._problems)
        return tuple(self._nodes.values())

    def sizes(self) -> tuple[PartSize, ...]:
        """Return the size of each part, largest first."""
        sizes: dict[Part, int] = {}
        files: dict[Part, int] = {}
        for path, node in self._nodes.items():
            part = self._parts[path]
            sizes[part] = sizes.get(part, 0) + len(node.content)
            files[part] = files.get(part, 0) + 1
        found = (PartSize(part, size, files[part]) for part, size in sizes.items())
        return tuple(sorted(found, key=lambda each: (-each.size, each.part.name)))


def inside(path: str) -> str:
    """Return the node path of an absolute host path: relative, and below /usr if merged."""
    head, _, rest = path.lstrip("/").partition("/")
    return f"{MERGED_USR[head]}/{rest}" if rest and head in MERGED_USR else path.lstrip("/")
