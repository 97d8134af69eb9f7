"""Files port on a real file system.

A file is replaced by writing a temporary one beside it and renaming that. The temporary name is the same every time,
so that one left over by a power cut is reused instead of piling up.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from typing_extensions import override

from gprov.adapters.linux import libc
from gprov.adapters.linux.oserrors import fault
from gprov.adapters.linux.permissions import settle
from gprov.adapters.linux.trees import remove_tree
from gprov.domain.errors import DeviceFault
from gprov.domain.files import ROOT, Digests, FileStatus, FileType, Owner, Usage
from gprov.ports.files import Files

_CHUNK = 1 << 24
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class LinuxFiles(Files):
    @override
    def read(self, path: str, limit: int = 16 << 20) -> bytes:
        content = self.read_start(path, limit + 1)
        if len(content) > limit:
            raise DeviceFault(path, f"is larger than {limit} bytes")
        return content

    @override
    def read_start(self, path: str, size: int) -> bytes:
        with _translated(path, "cannot read"), open(path, "rb", buffering=0) as file:
            parts = []
            while size > 0 and (part := file.read(min(size, _CHUNK))):
                parts.append(part)
                size -= len(part)
            return b"".join(parts)

    @override
    def digests(self, path: str) -> Digests:
        import hashlib  # only provisioning asks

        sha1, sha256, size = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), 0
        with _translated(path, "cannot read"), open(path, "rb", buffering=0) as file:
            # Dirty pages cannot be dropped from the cache, so they are written first.
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while part := file.read(_CHUNK):
                sha1.update(part)
                sha256.update(part)
                size += len(part)
        return Digests(size, sha1.hexdigest(), sha256.hexdigest())

    @override
    def status(self, path: str) -> FileStatus | None:
        with _translated(path, "cannot examine"):
            try:
                found = os.lstat(path)
            except (FileNotFoundError, NotADirectoryError):
                return None
        return FileStatus(
            _TYPES.get(stat.S_IFMT(found.st_mode), FileType.OTHER),
            found.st_size,
            stat.S_IMODE(found.st_mode),
            found.st_uid,
            found.st_gid,
        )

    @override
    def names(self, folder: str) -> tuple[str, ...]:
        with _translated(folder, "cannot list"):
            return tuple(sorted(os.listdir(folder)))

    @override
    def link_target(self, path: str) -> str:
        with _translated(path, "cannot read the link"):
            return os.readlink(path)

    @override
    def replace(self, path: str, content: bytes, *, mode: int = 0o644, owner: Owner = ROOT) -> None:
        _replace(path, lambda fd: _write(fd, content), mode, owner)

    @override
    def copy(self, source: str, target: str, *, mode: int = 0o644) -> None:
        with _translated(source, f"cannot copy to {target}"), open(source, "rb", buffering=0) as file:
            _replace(target, lambda fd: _transfer(file.fileno(), fd, source), mode, ROOT)

    @override
    def make_folder(self, path: str, *, mode: int = 0o755, owner: Owner = ROOT) -> None:
        with _translated(path, "cannot make the folder"):
            _make_folders(path)
            fd = os.open(path, _FOLDER | os.O_NOFOLLOW)
            try:
                settle(fd, path, mode, owner)
                os.fsync(fd)
            finally:
                os.close(fd)

    @override
    def symlink(self, target: str, path: str) -> None:
        with _translated(path, "cannot make the link"):
            _make_folders(os.path.dirname(path))
            beside = _beside(path)
            with suppress(FileNotFoundError):
                os.unlink(beside)
            os.symlink(target, beside)
            _put_in_place(beside, path)

    @override
    def rename(self, source: str, target: str) -> None:
        with _translated(source, f"cannot rename to {target}"):
            os.rename(source, target)
            _sync_folder(os.path.dirname(target))
            _sync_folder(os.path.dirname(source))

    @override
    def remove(self, path: str) -> None:
        with _translated(path, "cannot remove"):
            if os.path.lexists(path):
                remove_tree(path)
                _sync_folder(os.path.dirname(path.rstrip("/")))

    @override
    def set_permissions(self, path: str, mode: int, owner: Owner) -> None:
        with _translated(path, "cannot set permissions"):
            if stat.S_ISLNK(os.lstat(path).st_mode):
                raise DeviceFault(path, "cannot set permissions: is a symbolic link")
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                settle(fd, path, mode, owner, strict=True)
                os.fsync(fd)
            finally:
                os.close(fd)

    @override
    def usage(self, path: str) -> Usage:
        with _translated(path, "cannot tell the free space"):
            volume = os.statvfs(path)
        return Usage(volume.f_blocks * volume.f_frsize, volume.f_bavail * volume.f_frsize)

    @override
    def sync(self, path: str) -> None:
        with _translated(path, "cannot flush"):
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                libc.syncfs(fd)
            finally:
                os.close(fd)


_TYPES = {stat.S_IFREG: FileType.FILE, stat.S_IFDIR: FileType.FOLDER, stat.S_IFLNK: FileType.SYMLINK}


@contextmanager
def _translated(path: str, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise fault(path, doing, exc) from exc


def _replace(path: str, fill: Callable[[int], None], mode: int, owner: Owner) -> None:
    with _translated(path, "cannot write"):
        _make_folders(os.path.dirname(path))
        beside = _beside(path)
        with suppress(FileNotFoundError):
            os.unlink(beside)
        fd = os.open(beside, _NEW, 0o600)
        try:
            try:
                settle(fd, path, mode, owner)  # before there is anything to see
                fill(fd)
                os.fsync(fd)
            finally:
                os.close(fd)
        except BaseException:
            with suppress(OSError):  # the first error is the one that counts
                os.unlink(beside)
            raise
        _put_in_place(beside, path)


def _put_in_place(beside: str, path: str) -> None:
    try:
        os.rename(beside, path)
    except OSError:
        with suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(os.path.dirname(path))


def _beside(path: str) -> str:
    folder, name = os.path.split(path)
    short = os.fsdecode(os.fsencode(name)[:200])
    return os.path.join(folder, f".{short}.new")


def _write(fd: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _transfer(source: int, target: int, name: str) -> None:
    """The whole file, inside the kernel. Raises DeviceFault if it does not have the length that it announced."""
    size = os.fstat(source).st_size
    done = 0
    while count := os.sendfile(target, source, None, _CHUNK):
        done += count
    if done != size:
        raise DeviceFault(name, f"{done} bytes could be read, {size} were announced")


def _make_folders(folder: str) -> None:
    """Make missing folders, each durable in its parent."""
    if not folder or os.path.isdir(folder):
        return
    parent = os.path.dirname(folder.rstrip("/"))
    _make_folders(parent)
    os.mkdir(folder, 0o755)
    _sync_folder(parent)


def _sync_folder(folder: str) -> None:
    fd = os.open(folder or ".", _FOLDER)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
