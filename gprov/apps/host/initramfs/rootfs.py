"""File tree of an initramfs in memory."""

from __future__ import annotations

from collections.abc import Mapping

from gprov.apps.host.initramfs.cpio import Node, folder, symlink
from gprov.domain.errors import BadInput, Problem

# The distribution's layout: one real folder per kind below /usr, and links for the old names.
MERGED_USR = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
# Paths below a link are stored below its target.


class RootTree:
    """Nodes by path, each with the component that it belongs to (for the size report)."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._components: dict[str, str] = {}
        self._problems: list[Problem] = []
        for link, target in MERGED_USR.items():
            self.add(folder(target), "folders")
            self.add(symlink(link, target), "folders")

    def add(self, node: Node, component: str) -> None:
        """Add a node and its missing folders (0755). Equal nodes may be added twice; different nodes at one path are a
        problem, raised by ``finish``."""
        parent = node.path.rpartition("/")[0]
        if parent and parent not in self._nodes:
            self.add(folder(parent), "folders")
        known = self._nodes.get(node.path)
        if known is None or known == folder(node.path):  # a declared folder replaces one that was added for its content
            self._nodes[node.path] = node
            self._components[node.path] = component
        elif known != node:
            first = self._components[node.path]
            self._problems.append(Problem(f"/{node.path}", f"differs between {first} and {component}"))

    def has(self, path: str) -> bool:
        """``path``: of a node, relative."""
        return path in self._nodes

    def finish(self) -> tuple[Node, ...]:
        """Return all nodes. Raises BadInput if components added different nodes at one path."""
        if self._problems:
            raise BadInput("initramfs", self._problems)
        return tuple(self._nodes.values())

    def sizes(self) -> Mapping[str, int]:
        """Return bytes of content by component, largest first."""
        total: dict[str, int] = {}
        for path, node in self._nodes.items():
            component = self._components[path]
            total[component] = total.get(component, 0) + len(node.content)
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def inside(path: str) -> str:
    """Return the node path of an absolute host path: relative, and below /usr if merged."""
    head, _, rest = path.lstrip("/").partition("/")
    return f"{MERGED_USR[head]}/{rest}" if rest and head in MERGED_USR else path.lstrip("/")
