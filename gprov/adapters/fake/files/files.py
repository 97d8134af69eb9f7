"""Files of the simulated machine, with exactly the durability that the port promises."""

from __future__ import annotations

import hashlib
from errno import EBUSY, EIO, EISDIR, ELOOP, ENOENT, ENOSPC, ENOTDIR, ENOTEMPTY, EPERM, EROFS
from posixpath import basename, dirname

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.paths import ResolvedPath, locate, read_file, require_attached
from gprov.adapters.fake.machine.storage import FakeVolume, Node, changed
from gprov.adapters.fake.machine.writes import flush, store
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.files import Digests, FileStatus, FileType, Usage
from gprov.domain.formats.owner import ROOT, Owner
from gprov.ports.files import Files

# Mode of every file and folder on FAT with gprov's mount options.
_FAT_MODE = 0o755
_OTHERS_READ_OR_WRITE = 0o066


class FakeFiles(Files):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def read(self, path: str, limit: int = 16 << 20) -> bytes:
        content = read_file(self._machine, path).content
        if len(content) > limit:
            raise DeviceFault(path, f"is larger than {limit} bytes")
        return content

    @override
    def read_start(self, path: str, size: int) -> bytes:
        return read_file(self._machine, path).content[:size]

    @override
    def digests(self, path: str) -> Digests:
        content = read_file(self._machine, path).content
        sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        return Digests(len(content), sha1, hashlib.sha256(content).hexdigest())

    @override
    def read_through(self, path: str) -> int:
        return len(read_file(self._machine, path).content)

    @override
    def status(self, path: str) -> FileStatus | None:
        try:
            place = locate(self._machine, path, follow=False)
        except DeviceMissing:
            return None
        node = place.node
        if node is None:
            return None
        if _is_fat(place):
            return FileStatus(type=node.type, size=len(node.content), mode=_FAT_MODE, uid=0, gid=0)
        return FileStatus(type=node.type, size=len(node.content), mode=node.mode, uid=node.uid, gid=node.gid)

    @override
    def names(self, folder: str) -> tuple[str, ...]:
        place = locate(self._machine, folder)
        require_attached(self._machine, place)
        if place.node is None:
            raise DeviceMissing(folder, "no such folder")
        if place.node.type is not FileType.FOLDER:
            raise DeviceMissing(folder, "is not a folder", errno=ENOTDIR)
        return place.volume.current.children(place.inner)

    @override
    def replace(self, path: str, content: bytes, *, mode: int = 0o644, owner: Owner = ROOT) -> None:
        self._machine.begin_write(f"write {path}")
        self._store(path, Node(type=FileType.FILE, content=content, mode=mode, uid=owner.uid, gid=owner.gid))

    @override
    def copy(self, source: str, target: str, *, mode: int = 0o644) -> None:
        self._machine.begin_write(f"copy {target}")
        self._store(target, Node(type=FileType.FILE, content=read_file(self._machine, source).content, mode=mode))

    @override
    def make_folder(self, path: str, *, mode: int = 0o755, owner: Owner = ROOT) -> None:
        self._machine.begin_write(f"make folder {path}")
        place = self._writable(locate(self._machine, path).path)
        if place.node is not None and place.node.type is not FileType.FOLDER:
            raise DeviceFault(path, "is not a folder", errno=ENOTDIR)
        _refuse_secret(place, path, mode)
        base = place.node or Node(type=FileType.FOLDER)
        place.volume.write(place.inner, changed(base, mode=mode, uid=owner.uid, gid=owner.gid))
        flush(self._machine, place, place.inner)

    @override
    def set_owner(self, path: str, owner: Owner) -> None:
        place = locate(self._machine, path, follow=False)
        require_attached(self._machine, place)
        if place.node is None:
            raise DeviceMissing(path, "does not exist", errno=ENOENT)
        if place.node.type not in (FileType.FOLDER, FileType.FILE):
            raise DeviceFault(path, "is neither a folder nor a file", errno=ELOOP)
        found = ROOT if _is_fat(place) else Owner(place.node.uid, place.node.gid)
        if found == owner:
            return
        self._machine.begin_write(f"set owner of {path}")
        self._writable(path)
        if _is_fat(place):
            raise DeviceFault(path, "this file system has no owners", errno=EPERM)
        place.volume.write(place.inner, changed(place.node, mode=place.node.mode, uid=owner.uid, gid=owner.gid))
        flush(self._machine, place, place.inner)

    @override
    def symlink(self, target: str, path: str) -> None:
        self._machine.begin_write(f"link {path}")
        if _is_fat(self._entry(path)):
            raise DeviceFault(path, "this file system has no links")
        self._store(path, Node(type=FileType.SYMLINK, content=target.encode(), mode=0o777))

    @override
    def rename(self, source: str, target: str) -> None:
        self._machine.begin_write(f"rename {target}")
        old, new = self._writable(source), self._writable(target)
        if old.node is None:
            raise DeviceMissing(source, "no such file")
        self._refuse_rename(old, new, target)
        self._put_in_place(old.inner, new)

    @override
    def remove(self, path: str) -> None:
        self._machine.begin_write(f"remove {path}")
        try:
            place = self._writable(path)
        except DeviceMissing:
            return
        if any(f"{mount.point.target}/".startswith(f"{place.path}/") for mount in self._machine.mounts):
            raise DeviceFault(path, "something is mounted there", errno=EBUSY)
        if place.node is None:
            return
        gone = place.volume.current.below(place.inner)
        place.volume.drop(place.inner)
        self._machine.begin_write(f"remove {path}: under way")
        require_attached(self._machine, place)
        for name in gone:
            place.volume.flush_folder(dirname(name))

    def stream(self, path: str, content: bytes, *, whole: bool) -> None:
        """Write a downloaded file in place; flushed when it is ``whole``."""
        place = self._writable(path)
        operation = f"write {path}{'' if whole else ': in part'}"
        store(self._machine, place.volume, place.inner, Node(type=FileType.FILE, content=content), operation)
        _refuse_full(place.volume, path)
        self._machine.begin_write(operation)
        if whole:
            flush(self._machine, place, place.inner)
            place.volume.flush_folder(dirname(place.inner))

    @override
    def usage(self, path: str) -> Usage:
        volume = self._existing(path).volume
        return Usage(volume.size, max(0, volume.size - volume.used))

    @override
    def sync(self, path: str) -> None:
        self._machine.begin_write(f"sync {path}")
        if not self._existing(path).volume.sync():
            raise DeviceFault(path, "cannot flush: input/output error", errno=EIO)

    def _entry(self, path: str) -> ResolvedPath:
        return locate(self._machine, path, follow=False)

    def _existing(self, path: str) -> ResolvedPath:
        place = locate(self._machine, path)
        require_attached(self._machine, place)
        if place.node is None:
            raise DeviceMissing(path, "no such file")
        return place

    def _writable(self, path: str) -> ResolvedPath:
        place = self._entry(path)
        require_attached(self._machine, place)
        if place.mount is not None and place.mount.read_only:
            raise DeviceFault(path, "read-only file system", errno=EROFS)
        return place

    def _store(self, path: str, node: Node) -> None:
        place = self._writable(path)
        volume = place.volume
        if place.node is not None and place.node.type is FileType.FOLDER:
            raise DeviceFault(path, "is a folder", errno=EISDIR)
        _refuse_secret(place, path, node.mode)
        if volume.in_memory:
            volume.write(place.inner, node)
            return
        beside = _temporary_path(place.inner)
        try:
            store(self._machine, volume, beside, node, f"write {path}")
            _refuse_full(volume, path)
            self._machine.begin_write(f"write {path}: flush it")
            flush(self._machine, place, beside)
        except DeviceFault:
            volume.drop(beside)
            raise
        self._put_in_place(beside, place)

    def _refuse_rename(self, old: ResolvedPath, new: ResolvedPath, target: str) -> None:
        """Raises DeviceFault for what rename(2) refuses."""
        if new.volume is not old.volume:
            raise DeviceFault(target, "cannot rename across volumes")
        if new.volume.current.get(dirname(new.inner)) is None:
            raise DeviceMissing(target, "no such folder")
        if new.inner.startswith(old.inner + "/"):
            raise DeviceFault(target, "is inside the folder to rename")
        if old.node is None or new.node is None:
            return
        if (old.node.type is FileType.FOLDER) != (new.node.type is FileType.FOLDER):
            raise DeviceFault(target, "a folder cannot replace a file, nor a file a folder", errno=ENOTDIR)
        if new.volume.current.children(new.inner):
            raise DeviceFault(target, "is a folder that is not empty", errno=ENOTEMPTY)

    def _put_in_place(self, source: str, place: ResolvedPath) -> None:
        """Rename, then flush the file and both folders. The volume's model decides what a power cut leaves."""
        volume = place.volume
        replaces = not volume.journalled and place.node is not None
        volume.move(source, place.inner)
        self._machine.begin_write(f"put in place {place.path}" if replaces else f"flush the folder of {place.path}")
        flush(self._machine, place, place.inner)
        for name in volume.current.below(place.inner) or [place.inner]:
            volume.flush_folder(dirname(name))
        volume.flush_folder(dirname(source))


def _temporary_path(path: str) -> str:
    """Hidden name of a file until it is complete."""
    return f"{dirname(path).rstrip('/')}/.{basename(path)}.new"


def _is_fat(place: ResolvedPath) -> bool:
    return place.volume.kind is FileSystemKind.VFAT


def _refuse_full(volume: FakeVolume, path: str) -> None:
    if volume.used > volume.size:
        raise DeviceFault(path, "no space left on device", errno=ENOSPC)


def _refuse_secret(place: ResolvedPath, path: str, mode: int) -> None:
    if _is_fat(place) and _FAT_MODE & ~mode & _OTHERS_READ_OR_WRITE:
        raise DeviceFault(path, f"FAT cannot store mode {mode:o}: the file would be readable by all users")
