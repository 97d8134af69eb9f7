"""Changes of a simulated file system on their way to the medium, and what of one a power cut leaves.

The models of file systems: ``volume.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gprov.adapters.fake.machine.tree import Node, Tree

# A number below the one that it is given.
Choose = Callable[[int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """One change that is still on its way to the medium: ``path`` becomes ``node`` (None: it goes). A rename also takes
    ``source`` away and may replace ``old``. ``named``: of a rename, the names have arrived, the file's own part has
    not."""

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
    """Without a journal: the sectors of one change arrive in any order, or not at all. ``durable``: where they arrive;
    ``apply``: has the whole change arrive."""
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
            """Nothing arrived."""


def partial_content(node: Node, choose: Choose) -> Node:
    """Of data that were not flushed: nothing, a part, or everything."""
    size = len(node.content)
    return replace(node, content=node.content[: (0, size // 2, size)[choose(3)]])
