"""Simulated media: disks with partitions, volumes with files, and what of it survives a power cut.

A volume keeps two trees: ``current`` is what a running system sees, ``durable`` what is on stable storage. A write that
its port promises to flush goes to both; everything else reaches ``durable`` with the next sync or unmount, or in part
when the power is cut: in which order a medium stores what was not flushed is nobody's to know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from posixpath import dirname, normpath

from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import Bus, DeviceNumber, FileSystemKind
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.files import FileType

_JOURNALLED = frozenset({FileSystemKind.EXT3, FileSystemKind.EXT4})


@dataclass(frozen=True, slots=True)
class Node:
    """One file, folder or link. ``content`` is the data of a file or the text of a link."""

    type: FileType
    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


class Tree:
    """Paths are absolute within the volume and normal ("/etc/hostname"); the root folder always exists."""

    def __init__(self, nodes: dict[str, Node] | None = None) -> None:
        self._nodes = {"/": Node(FileType.FOLDER, mode=0o755)} if nodes is None else nodes

    def copy(self) -> Tree:
        return Tree(dict(self._nodes))

    def get(self, path: str) -> Node | None:
        return self._nodes.get(path)

    def put(self, path: str, node: Node) -> None:
        """Set a node, making missing parent folders."""
        parent = dirname(path)
        if parent != path and parent not in self._nodes:
            self.put(parent, Node(FileType.FOLDER, mode=0o755))
        self._nodes[path] = node

    def drop(self, path: str) -> None:
        """Remove a node and all below it."""
        below = path.rstrip("/") + "/"
        for name in [name for name in self._nodes if name == path or name.startswith(below)]:
            if name != "/":
                del self._nodes[name]

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


@dataclass
class FakeVolume:
    """A file system on a partition. ``damaged``: mounting fails until a check repairs it. ``ambivalent``: an older
    signature shows too, so that no probe says what it is. ``in_place``: what a journal holds is not in it yet."""

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

    def sync(self) -> None:
        self.durable = self.current.copy()
        self.replay()

    def replay(self) -> None:
        """What the journal holds is written to its place."""
        self.in_place = self.durable.copy()

    def without_replay(self, path: str) -> Node | None:
        """A file as a boot loader sees it. One that is on its way from the journal to its place, the old or the new,
        may be found or not: it is not."""
        node = self.durable.get(path)
        if self.kind in _JOURNALLED and self.in_place.get(path) != node:
            return None
        return node

    def cut(self, survives: Callable[[str], bool] | None = None) -> None:
        """Power is gone: of what was not flushed only the changes to paths that ``survives`` names remain."""
        if survives is not None:
            for path in sorted({*self.current.paths(), *self.durable.paths()}):
                if self.current.get(path) != self.durable.get(path) and survives(path):
                    self.keep(path)
        self.current = self.durable.copy()

    def keep(self, path: str) -> None:
        """Make one path durable, as a flushed file and its flushed folder entries are."""
        node = self.current.get(path)
        if node is None:
            self.durable.drop(path)
            return
        for parent in _parents(path):
            above = self.current.get(parent)
            if above is not None and self.durable.get(parent) is None:
                self.durable.put(parent, above)
        self.durable.put(path, node)


@dataclass
class FakePartition:
    """Holds a volume, or a part of an array, or nothing. (The device of an array is one too: see ``FakeArray``.)"""

    number: int
    start: int
    size: int
    label: str
    uuid: str
    device: DeviceNumber
    volume: FakeVolume | None = None
    member: FakeMember | None = None


@dataclass
class FakeArray:
    """A software RAID array. ``device``: what reads and writes of the array meet while it runs. Its data are kept once,
    whoever is a member: one that was left behind for some time, started alone, shows newer data than a real one."""

    uuid: str
    name: str
    level: int
    layout: int
    disks: int
    device: FakePartition


@dataclass
class FakeMember:
    """A superblock: ``active`` are the slots that had a member at event number ``events``."""

    array: FakeArray
    slot: int
    active: frozenset[int]
    events: int = 1


@dataclass
class FakeDisk:
    """A whole disk. ``present`` from ``appears_at`` seconds on the machine's monotonic clock of this boot.

    ``areas``: boot loader code by its offset. ``write_protected``: as flash that is worn out becomes. ``remains``: file
    systems and members of arrays that no partition table shows any more, by their first byte. A new partition that
    starts there shows them again, unless that place was cleared.
    """

    name: str
    device: DeviceNumber
    size: int
    bus: Bus = Bus.ATA
    model: str = "QEMU HARDDISK"
    vendor: str = "ATA"
    serial: str = ""
    table: PartitionTable | None = None
    partitions: list[FakePartition] = field(default_factory=list)
    appears_at: float = 0.0
    writes: int = 0
    write_protected: bool = False
    areas: dict[int, bytes] = field(default_factory=dict)
    remains: dict[int, FakeVolume | FakeMember] = field(default_factory=dict)

    @property
    def node(self) -> str:
        return f"/dev/{self.name}"

    def partition_name(self, number: int) -> str:
        return f"{self.name}p{number}" if self.name[-1].isdigit() else f"{self.name}{number}"

    def partition(self, number: int) -> FakePartition:
        for part in self.partitions:
            if part.number == number:
                return part
        raise DeviceMissing(self.node, f"has no partition {number}")

    def forget_partitions(self) -> None:
        """The table is gone; what it pointed to is still there."""
        self.remains |= {part.start: part.volume for part in self.partitions if part.volume is not None}
        self.remains |= {part.start: part.member for part in self.partitions if part.member is not None}
        self.table = None
        self.areas = {}
        self.partitions = []

    def volumes(self) -> tuple[FakeVolume, ...]:
        return tuple(part.volume for part in self.partitions if part.volume is not None)


def changed(node: Node, *, mode: int, uid: int, gid: int) -> Node:
    """The node with other permissions."""
    return replace(node, mode=mode, uid=uid, gid=gid)


def _parents(path: str) -> list[str]:
    found = []
    while path not in ("/", ""):
        path = dirname(path)
        found.append(path)
    return found[::-1]
