"""Files of the simulated machine, with the durability that the port promises and no more."""

from __future__ import annotations

import hashlib
from posixpath import dirname

from typing_extensions import override

from gprov.adapters.fake.machine import SimulatedMachine
from gprov.adapters.fake.storage import FakeVolume, Node, changed
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.files import ROOT, Digests, FileStatus, FileType, Owner, Usage
from gprov.ports.files import Files

_NO_SPACE = 28


class FakeFiles(Files):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def read(self, path: str, limit: int = 16 << 20) -> bytes:
        content = self._file(path).content
        if len(content) > limit:
            raise DeviceFault(path, f"is larger than {limit} bytes")
        return content

    @override
    def read_start(self, path: str, size: int) -> bytes:
        return self._file(path).content[:size]

    @override
    def digests(self, path: str) -> Digests:
        content = self._file(path).content
        sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        return Digests(len(content), sha1, hashlib.sha256(content).hexdigest())

    @override
    def status(self, path: str) -> FileStatus | None:
        volume, inner = self._locate(dirname(path))
        node = volume.current.get(f"{inner.rstrip('/')}/{path.rsplit('/', 1)[1]}" if path != "/" else "/")
        mount_root = self._machine.volume_at(path)
        if mount_root[2] == "/":
            node = mount_root[1].current.get("/")
        if node is None:
            return None
        return FileStatus(node.type, len(node.content), node.mode, node.uid, node.gid)

    @override
    def names(self, folder: str) -> tuple[str, ...]:
        volume, inner = self._locate(folder)
        node = volume.current.get(inner)
        if node is None:
            raise DeviceMissing(folder, "no such folder")
        if node.type is not FileType.FOLDER:
            raise DeviceFault(folder, "is not a folder")
        return volume.current.children(inner)

    @override
    def link_target(self, path: str) -> str:
        _, volume, inner = self._machine.volume_at(path)
        node = volume.current.get(inner)
        if node is None or node.type is not FileType.SYMLINK:
            raise DeviceMissing(path, "no such link")
        return node.content.decode()

    @override
    def replace(self, path: str, content: bytes, *, mode: int = 0o644, owner: Owner = ROOT) -> None:
        self._machine.touch(f"write {path}")
        self._store(path, Node(FileType.FILE, content, mode, owner.uid, owner.gid))

    @override
    def copy(self, source: str, target: str, *, mode: int = 0o644) -> None:
        self._machine.touch(f"copy {target}")
        self._store(target, Node(FileType.FILE, self._file(source).content, mode))

    @override
    def make_folder(self, path: str, *, mode: int = 0o755, owner: Owner = ROOT) -> None:
        self._machine.touch(f"make folder {path}")
        volume, inner = self._writable(path)
        inner = volume.current.resolve(inner)
        node = volume.current.get(inner)
        if node is not None and node.type is not FileType.FOLDER:
            raise DeviceFault(path, "is not a folder")
        base = node or Node(FileType.FOLDER)
        volume.current.put(inner, changed(base, mode=mode, uid=owner.uid, gid=owner.gid))
        volume.keep(inner)

    @override
    def symlink(self, target: str, path: str) -> None:
        self._machine.touch(f"link {path}")
        if self._machine.volume_at(path)[1].kind is FileSystemKind.VFAT:
            raise DeviceFault(path, "this file system has no links")
        self._store(path, Node(FileType.SYMLINK, target.encode(), 0o777))

    @override
    def rename(self, source: str, target: str) -> None:
        self._machine.touch(f"rename {target}")
        volume, old = self._writable(source)
        other, new = self._writable(target)
        node = volume.current.get(old)
        if node is None:
            raise DeviceMissing(source, "no such file")
        if other is not volume:
            raise DeviceFault(target, "cannot rename across volumes")
        self._gap(volume, new, target)
        moved = [(path, volume.current.get(path)) for path in volume.current.paths() if path.startswith(old + "/")]
        volume.current.drop(old)
        volume.current.put(new, node)
        for path, inner in moved:
            if inner is not None:
                volume.current.put(new + path[len(old) :], inner)
        volume.keep(old)
        for path in (new, *(new + path[len(old) :] for path, _ in moved)):
            volume.keep(path)

    @override
    def remove(self, path: str) -> None:
        self._machine.touch(f"remove {path}")
        volume, inner = self._writable(path)
        volume.current.drop(inner)
        volume.keep(inner)

    @override
    def set_permissions(self, path: str, mode: int, owner: Owner) -> None:
        self._machine.touch(f"permissions {path}")
        volume, inner = self._writable(path)
        if volume.kind is FileSystemKind.VFAT:
            raise DeviceFault(path, "this file system keeps no permissions")
        node = volume.current.get(inner)
        if node is None:
            raise DeviceMissing(path, "no such file")
        volume.current.put(inner, changed(node, mode=mode, uid=owner.uid, gid=owner.gid))

    @override
    def usage(self, path: str) -> Usage:
        volume, _ = self._locate(path)
        return Usage(volume.size, max(0, volume.size - volume.current.size()))

    @override
    def sync(self, path: str) -> None:
        self._machine.touch(f"sync {path}")
        self._locate(path)[0].sync()

    def _locate(self, path: str) -> tuple[FakeVolume, str]:
        _, volume, inner = self._machine.volume_at(path)
        return volume, volume.current.resolve(inner)

    def _writable(self, path: str) -> tuple[FakeVolume, str]:
        mount, volume, inner = self._machine.volume_at(path)
        if mount is not None and mount.read_only:
            raise DeviceFault(path, "read-only file system")
        parent = volume.current.resolve(dirname(inner))
        return volume, f"{parent.rstrip('/')}/{inner.rsplit('/', 1)[1]}" if inner != "/" else "/"

    def _file(self, path: str) -> Node:
        volume, inner = self._locate(path)
        node = volume.current.get(inner)
        if node is None:
            raise DeviceMissing(path, "no such file")
        if node.type is not FileType.FILE:
            raise DeviceFault(path, "is not a file")
        return node

    def _store(self, path: str, node: Node) -> None:
        volume, inner = self._writable(path)
        old = volume.current.get(inner)
        if old is not None and old.type is FileType.FOLDER:
            raise DeviceFault(path, "is a folder")
        if volume.current.size() + len(node.content) > volume.size:
            raise DeviceFault(path, "no space left on device", errno=_NO_SPACE)
        self._gap(volume, inner, path)
        volume.current.put(inner, node)
        volume.keep(inner)

    def _gap(self, volume: FakeVolume, inner: str, path: str) -> None:
        """Without a journal a file that is being replaced may be there neither in the old nor in the new form."""
        if volume.kind in (FileSystemKind.VFAT, FileSystemKind.EXT2) and volume.current.get(inner) is not None:
            volume.current.drop(inner)
            volume.keep(inner)
            self._machine.touch(f"put in place {path}")
