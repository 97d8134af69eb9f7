"""A simulated file system: its current state and what a power cut leaves of it.

``current`` is the state that a running system sees. Changes reach stable storage when they are flushed; until then
metadata changes wait in ``pending``, in order, and file data in ``dirty``. At a power cut a seeded choice decides how
much of them was stored. The models (docs/how-to/simulation.md has them with their sources):

ext3, ext4 (data=ordered, delayed allocation)
    Changes are committed through a journal: a power cut keeps a prefix of them, and each kept change is whole. A
    rename shows the old file or the new one. Flushing one file or folder commits all earlier changes, also those of
    other files, but not the data of other files: these are found empty, in part, or whole.
FAT, ext2
    No journal: changes are stored in any order. A rename consists of several sectors: after a cut both names may
    exist, or neither, and the replaced file may be shorter, since its blocks are released first. On FAT, flushing the
    folder stores a new name, but the start and length of the data are stored when the file itself is flushed. Blocks
    of a FAT file that lost its name stay allocated until a check releases them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from posixpath import dirname

from gprov.adapters.fake.machine.pending_changes import Choose, PendingChange, apply_partially, partial_content
from gprov.adapters.fake.machine.tree import Node, Tree, parents
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.files import FileType

JOURNALLED = frozenset({FileSystemKind.EXT3, FileSystemKind.EXT4})


@dataclass(kw_only=True)
class FakeVolume:
    """A file system on a partition. ``damaged``: mounting fails until a check repairs it. ``ambivalent``: an older
    signature is also present, so that probes report no type. ``in_place``: contents outside of the journal (not yet
    replayed). ``blank``: files whose names are on stable storage and whose data are not. ``failing``: files of which
    half is lost; flushing them reports that. ``in_memory``: nothing survives a restart. ``lost_bytes``: bytes in blocks
    that belong to no file."""

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
        """Remove a path and its children, the deepest first."""
        for name in sorted(self.current.below(path), reverse=True):
            self.current.drop(name)
            self.dirty.pop(name, None)
            self.failing.discard(name)
            self._add(PendingChange(path=name, node=None))

    def move(self, source: str, target: str) -> None:
        """Rename as rename(2) does."""
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
        """fsync(2) of a file, or of a folder's own permissions. Returns False if half of the file is lost; reported
        once."""
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
            self.pending = [
                self._named(change) if dirname(change.path) == folder else change for change in self.pending
            ]
        self._commit(lambda change: dirname(change.path) == folder and not change.named)

    def sync(self) -> bool:
        """syncfs(2). Returns False if half of some file is lost; reported once."""
        whole = self._discard(set(self.failing))
        self.durable = self.current.copy()
        self._clear_pending()
        self.replay()
        return whole

    def replay(self) -> None:
        """Write the journal's contents to their final place."""
        self.in_place = self.durable.copy()

    def without_replay(self, path: str) -> Node | None:
        """Return a file as a boot loader sees it, which does not replay the journal. A file whose content is
        not yet in its final place counts as missing; owner and mode do not matter to a boot loader."""
        node, in_place = self.durable.get(path), self.in_place.get(path)
        if node is None or not self.journalled:
            return node
        if in_place is None or (in_place.type, in_place.content) != (node.type, node.content):
            return None
        return node

    def apply_power_cut(self, choose: Choose | None = None) -> None:
        """Lose power. Without ``choose`` no unflushed change was stored, and files that were being replaced on a file
        system without journal are lost."""
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
        """Count the blocks of unflushed files that have no name after the cut."""
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
        """Forget all unflushed changes."""
        self.pending.clear()
        self.dirty.clear()
        self.blank.clear()
        self.failing.clear()

    def _add(self, change: PendingChange) -> None:
        if not self.in_memory:
            self.pending.append(change)

    def _commit(self, concerned: Callable[[PendingChange], bool]) -> None:
        """A journal commits all changes together. Without a journal, each change is stored alone."""
        for change in self.pending:
            if self.journalled or concerned(change):
                self._apply(change)
        self.pending = [] if self.journalled else [change for change in self.pending if not concerned(change)]

    def _named(self, change: PendingChange) -> PendingChange:
        """Return the part of a change that is unflushed after its folder was flushed. The replaced file's blocks are
        free by then."""
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
