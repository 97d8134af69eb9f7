"""A simulated file system: what a running system sees of it, and what a power cut leaves of that.

``current`` is what a running system sees. Nothing of what it changes is on stable storage before it is flushed; until
then it waits in ``pending``, change by change, and the data of files in ``dirty``. When the power goes, a seeded choice
says how much of that arrived. The models (docs/simulation.md has them with their sources):

ext3, ext4 (data=ordered, delayed allocation)
    Steps are committed through a journal, so that those that arrived are the first so many, and each is whole: a rename
    shows the old file or the new one. Flushing one file or folder commits all changes so far, of other files too, but not
    the data of these: they are then found empty, in part, or whole.
FAT, ext2
    No journal. Steps arrive in any order. A rename is several sectors: both names may be found, or neither, and the
    file that was replaced may be found cut short since its blocks were given back first. On FAT flushing the folder
    is not the end of it: where the data are and how much stands in the folder, but is the file's, and flushed with it.
    Blocks on FAT whose file has no name after a cut stay taken until a check gives them back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from posixpath import dirname

from gprov.adapters.fake.machine.journal import Choose, PendingChange, apply_partially, partial_content
from gprov.adapters.fake.machine.tree import Node, Tree, parents
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.files import FileType

JOURNALLED = frozenset({FileSystemKind.EXT3, FileSystemKind.EXT4})


@dataclass(kw_only=True)
class FakeVolume:
    """A file system on a partition. ``damaged``: mounting fails until a check repairs it. ``ambivalent``: an older
    signature shows too, so that no probe says what it is. ``in_place``: what a journal holds is not in it yet.
    ``blank``: names that are on stable storage, whose data are not. ``failing``: files of which half will not arrive,
    as flushing them will say. ``in_memory``: nothing of it survives anyway. ``lost``: bytes in
    blocks that belong to no file."""

    kind: FileSystemKind
    label: str
    uuid: str
    size: int
    current: Tree = field(default_factory=Tree)
    durable: Tree = field(default_factory=Tree)
    in_place: Tree = field(default_factory=Tree)
    damaged: bool = False
    repairable: bool = True
    ambivalent: bool = False
    in_memory: bool = False
    lost_bytes: int = 0
    pending: list[PendingChange] = field(default_factory=list)
    dirty: dict[str, Node] = field(default_factory=dict)
    blank: dict[str, Node] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)

    @property
    def journalled(self) -> bool:
        return self.kind in JOURNALLED

    @property
    def used(self) -> int:
        """Bytes."""
        return self.current.size() + self.lost_bytes

    def write(self, path: str, node: Node) -> None:
        """Make or change a file, folder or link."""
        self.current.put(path, node)
        self.failing.discard(path)
        self._add(PendingChange(path=path, node=node))
        if node.type is FileType.FILE and node.content and not self.in_memory:
            self.dirty[path] = node

    def drop(self, path: str) -> None:
        """Remove a path and all below it, what is deepest first."""
        for name in sorted(self.current.below(path), reverse=True):
            self.current.drop(name)
            self.dirty.pop(name, None)
            self.failing.discard(name)
            self._add(PendingChange(path=name, node=None))

    def move(self, source: str, target: str) -> None:
        """What rename(2) does to what is there."""
        moved = [(name, self.current.get(name)) for name in sorted(self.current.below(source))]
        old = self.current.get(target)
        self.current.drop(source)
        for name, node in moved:
            new = target + name[len(source) :]
            if node is not None:
                self.current.put(new, node)
                self._add(PendingChange(path=new, node=node, source=name, old=old if new == target else None))
            if name in self.dirty:
                self.dirty[new] = self.dirty.pop(name)
            if name in self.failing:
                self.failing ^= {name, new}

    def flush_file(self, path: str) -> bool:
        """fsync(2) of a file, or of a folder's own permissions. False: half of it is lost; that is said once."""
        whole = self._discard({path} & self.failing)
        self.dirty.pop(path, None)
        self._commit(lambda change: change.path == path)
        node = self.blank.pop(path, None)
        if node is not None:
            self.durable.put(path, node)
        return whole

    def flush_folder(self, folder: str) -> None:
        """fsync(2) of a folder: the names in it."""
        if self.kind is FileSystemKind.VFAT:
            self.pending = [self._named(change) if dirname(change.path) == folder else change for change in self.pending]
        self._commit(lambda change: dirname(change.path) == folder and not change.named)

    def sync(self) -> bool:
        """syncfs(2). False: half of some file is lost; that is said once."""
        whole = self._discard(set(self.failing))
        self.durable = self.current.copy()
        self._clear_pending()
        self.replay()
        return whole

    def replay(self) -> None:
        """What the journal holds is written to its place."""
        self.in_place = self.durable.copy()

    def without_replay(self, path: str) -> Node | None:
        """A file as a boot loader sees it. One that is on its way from the journal to its place, the old or the new,
        may be found or not: it is not."""
        node = self.durable.get(path)
        if self.journalled and self.in_place.get(path) != node:
            return None
        return node

    def apply_power_cut(self, choose: Choose | None = None) -> None:
        """Power is gone. Without ``choose`` nothing of what was not flushed arrived, and what was being replaced on a
        file system without journal is lost."""
        if self.journalled:
            for change in self.pending[: choose(len(self.pending) + 1) if choose is not None else 0]:
                self._apply(change)
        else:
            pending = list(self.pending)
            for change in self.pending:
                apply_partially(change, self.durable, self._apply, choose)
            if choose is not None and self.kind is FileSystemKind.VFAT:
                self._lose_blocks(pending)
        for path, node in sorted(self.blank.items()):
            if choose is not None:
                self.durable.put(path, partial_content(node, choose))
        self._clear_pending()
        self.current = self.durable.copy()

    def _lose_blocks(self, changes: list[PendingChange]) -> None:
        """Of what was on its way, whatever has no name now."""
        names: dict[int, tuple[Node, set[str]]] = {}
        for change in changes:
            if change.node is not None:
                names.setdefault(id(change.node), (change.node, set()))[1].update((change.path, change.source))
        for node, paths in names.values():
            found = [there for path in paths if (there := self.durable.get(path)) is not None]
            if not any(node.content.startswith(there.content) for there in found):
                self.lost_bytes += len(node.content)

    def _discard(self, paths: set[str]) -> bool:
        for path in paths:
            node = self.current.get(path)
            if node is not None:
                self.write(path, replace(node, content=node.content[: len(node.content) // 2]))
        return not paths

    def _clear_pending(self) -> None:
        """Nothing is on its way any more."""
        self.pending.clear()
        self.dirty.clear()
        self.blank.clear()
        self.failing.clear()

    def _add(self, change: PendingChange) -> None:
        if not self.in_memory:
            self.pending.append(change)

    def _commit(self, concerned: Callable[[PendingChange], bool]) -> None:
        """The journal is one for all; without one, each change stands for itself."""
        for change in self.pending:
            if self.journalled or concerned(change):
                self._apply(change)
        self.pending = [] if self.journalled else [change for change in self.pending if not concerned(change)]

    def _named(self, change: PendingChange) -> PendingChange:
        """What remains of a change whose folder was flushed. The blocks of a file that was replaced are free by then."""
        if not change.source or change.node is None or change.node.type is not FileType.FILE:
            return change
        self._apply(replace(change, node=replace(change.old or change.node, content=b"")))
        return replace(change, source="", named=True)

    def _apply(self, change: PendingChange) -> None:
        for name in (change.source, change.path):
            self.blank.pop(name, None)
        if change.source:
            self.durable.drop(change.source)
        if change.node is None:
            self.durable.drop(change.path)
            return
        for parent in parents(change.path):
            above = self.current.get(parent)
            if above is not None and self.durable.get(parent) is None:
                self.durable.put(parent, above)
        if any(change.node is node for node in self.dirty.values()):
            self.blank[change.path] = change.node
            self.durable.put(change.path, replace(change.node, content=b""))
        else:
            self.durable.put(change.path, change.node)
