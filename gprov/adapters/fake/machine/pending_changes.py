"""Unflushed changes of a simulated file system, and their state after a power cut. The models: ``volume.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gprov.adapters.fake.machine.tree import Node, Tree

# Returns a number below its argument.
Choose = Callable[[int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """One unflushed change: ``path`` becomes ``node`` (None: removed). A rename also removes ``source`` and may replace
    ``old``. ``named``: of a rename, the names are stored and the file's own part is not."""

    path: str
    node: Node | None
    source: str = ""
    old: Node | None = None
    named: bool = False

    def __deepcopy__(self, memo: dict[int, object]) -> PendingChange:
        return self


def apply_partially(
    change: PendingChange, durable: Tree, apply: Callable[[PendingChange], None], choose: Choose | None
) -> None:
    """Power cut without a journal: the sectors of one change are stored in any order, or not at all. ``durable``: the
    stored tree; ``apply``: stores the whole change."""
    if not change.source:
        if choose is not None and choose(2):
            apply(change)
        return
    lost = change.old is not None
    match choose(6) if choose is not None else 3 if lost else 0:
        case 1:
            apply(change)
        case 2 if change.node is not None:  # both names
            durable.put(change.path, change.node)
        case 3 if lost:
            durable.drop(change.path)
            durable.drop(change.source)
        case 4 if change.old is not None:  # its blocks are free already
            durable.put(change.path, replace(change.old, content=b""))
        case 5 if change.old is not None:  # half of them
            durable.put(change.path, replace(change.old, content=change.old.content[: len(change.old.content) // 2]))
            durable.drop(change.source)
        case _:
            """Nothing was stored."""


def partial_content(node: Node, choose: Choose) -> Node:
    """Return the node with the stored part of unflushed data: nothing, half, or all."""
    size = len(node.content)
    return replace(node, content=node.content[: (0, size // 2, size)[choose(3)]])
