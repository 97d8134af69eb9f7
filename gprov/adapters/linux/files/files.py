"""Files port on a real file system."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from typing_extensions import override

from gprov.adapters.linux.files.confined_paths import ConfinedPaths
from gprov.adapters.linux.files.durable import OPEN_FOLDER, replace_file, replace_link, sync_folder, sync_renamed
from gprov.adapters.linux.files.permissions import apply_owner, apply_permissions
from gprov.adapters.linux.files.remove_tree import remove_tree
from gprov.adapters.linux.ioctl import libc
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import DeviceFault
from gprov.domain.files import Digests, FileStatus, FileType, Usage
from gprov.domain.formats.owner import ROOT, Owner
from gprov.ports.files import Files

_CHUNK = 1 << 24
_OPEN_ITSELF = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NOT_THERE = (FileNotFoundError, NotADirectoryError)


class LinuxFiles(Files):
    """``roots``: folders, usually mount points, that links in paths below them cannot leave."""

    def __init__(self, roots: Iterable[str] = ()) -> None:
        self._trees = ConfinedPaths(roots)

    @override
    def read(self, path: str, limit: int = 16 << 20) -> bytes:
        content = self.read_start(path, limit + 1)
        if len(content) > limit:
            raise DeviceFault(path, f"is larger than {limit} bytes")
        return content

    @override
    def read_start(self, path: str, size: int) -> bytes:
        with self._regular(path, "cannot read") as fd:
            parts = []
            while size > 0 and (part := os.read(fd, min(size, _CHUNK))):
                parts.append(part)
                size -= len(part)
            return b"".join(parts)

    @override
    def digests(self, path: str) -> Digests:
        import hashlib  # used by provisioning only

        sha1, sha256, size = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), 0
        for part in self._parts_on_medium(path):
            sha1.update(part)
            sha256.update(part)
            size += len(part)
        return Digests(size, sha1.hexdigest(), sha256.hexdigest())

    @override
    def read_through(self, path: str) -> int:
        return sum(map(len, self._parts_on_medium(path)))

    def _parts_on_medium(self, path: str) -> Iterator[bytes]:
        with self._regular(path, "cannot read") as fd:
            # Dirty pages cannot be dropped from the cache, so they are written first.
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            while part := os.read(fd, _CHUNK):
                yield part

    @override
    def status(self, path: str) -> FileStatus | None:
        with _translated(path, "cannot examine"):
            try:
                with self._trees.entry(path) as entry:
                    found = os.lstat(entry)
            except _NOT_THERE:
                return None
        return FileStatus(
            type=_TYPES.get(stat.S_IFMT(found.st_mode), FileType.OTHER),
            size=found.st_size,
            mode=stat.S_IMODE(found.st_mode),
            uid=found.st_uid,
            gid=found.st_gid,
        )

    @override
    def names(self, folder: str) -> tuple[str, ...]:
        with self._opened(folder, "cannot list", OPEN_FOLDER) as fd:
            return tuple(sorted(os.listdir(fd)))

    @override
    def replace(self, path: str, content: bytes, *, mode: int = 0o644, owner: Owner = ROOT) -> None:
        self._replace(path, lambda fd: _write(fd, content), mode, owner)

    @override
    def copy(self, source: str, target: str, *, mode: int = 0o644) -> None:
        with self._regular(source, f"cannot copy to {target}") as file:
            self._replace(target, lambda fd: _transfer(file, fd, source), mode, ROOT)

    @override
    def make_folder(self, path: str, *, mode: int = 0o755, owner: Owner = ROOT) -> None:
        with _translated(path, "cannot make the folder"):
            self._make_folders(path)
            fd = self._trees.open(path, OPEN_FOLDER)
            try:
                apply_permissions(fd, path, mode, owner)
                os.fsync(fd)
            finally:
                os.close(fd)

    @override
    def set_owner(self, path: str, owner: Owner) -> None:
        with self._opened(path, "cannot set the owner", _OPEN_ITSELF) as fd:
            found = os.fstat(fd)
            if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
                raise DeviceFault(path, "cannot set the owner: is neither a folder nor a file")
            if Owner(found.st_uid, found.st_gid) != owner:
                apply_owner(fd, path, owner)
                os.fsync(fd)

    @override
    def symlink(self, target: str, path: str) -> None:
        with _translated(path, "cannot make the link"):
            self._make_folders(os.path.dirname(path))
            with self._trees.entry(path) as entry:
                replace_link(entry, target)

    @override
    def rename(self, source: str, target: str) -> None:
        with (
            _translated(source, f"cannot rename to {target}"),
            self._trees.entry(source) as old,
            self._trees.entry(target) as new,
        ):
            os.rename(old, new)
            sync_renamed(new)
            sync_folder(os.path.dirname(old))

    @override
    def remove(self, path: str) -> None:
        with _translated(path, "cannot remove"), suppress(*_NOT_THERE), self._trees.entry(path) as entry:
            remove_tree(entry)
            sync_folder(os.path.dirname(entry))

    @override
    def usage(self, path: str) -> Usage:
        with self._opened(path, "cannot determine the free space", os.O_PATH) as fd:
            volume = os.fstatvfs(fd)
        return Usage(volume.f_blocks * volume.f_frsize, volume.f_bavail * volume.f_frsize)

    @override
    def sync(self, path: str) -> None:
        with self._opened(path, "cannot flush", os.O_RDONLY | os.O_NONBLOCK) as fd:
            # The first call commits the journal and writes its contents to their place, the second flushes those: boot
            # loaders, which do not replay the journal, then read the new state.
            libc.syncfs(fd)
            libc.syncfs(fd)

    @contextmanager
    def _regular(self, path: str, action: str) -> Iterator[int]:
        """Open for reading without blocking, even if a pipe is in place of the file."""
        with self._opened(path, action, os.O_RDONLY | os.O_NONBLOCK) as fd:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise DeviceFault(path, f"{action}: is not a file")
            yield fd

    @contextmanager
    def _opened(self, path: str, action: str, flags: int) -> Iterator[int]:
        with _translated(path, action):
            fd = self._trees.open(path, flags)
            try:
                yield fd
            finally:
                os.close(fd)

    def _replace(self, path: str, fill: Callable[[int], None], mode: int, owner: Owner) -> None:
        with _translated(path, "cannot write"):
            self._make_folders(os.path.dirname(path))
            with self._trees.entry(path) as entry:
                replace_file(entry, fill, path, mode, owner)

    def _make_folders(self, folder: str) -> None:
        """Make missing folders, each durable in its parent."""
        try:
            os.close(self._trees.open(folder or ".", os.O_PATH | os.O_DIRECTORY))
        except FileNotFoundError:
            self._make_folders(os.path.dirname(folder.rstrip("/")))
            with self._trees.entry(folder) as entry:
                try:
                    os.mkdir(entry, 0o755)
                except FileExistsError:
                    if not os.path.isdir(entry):  # else another program has made it in the meantime
                        raise
                sync_folder(os.path.dirname(entry))


_TYPES = {stat.S_IFREG: FileType.FILE, stat.S_IFDIR: FileType.FOLDER, stat.S_IFLNK: FileType.SYMLINK}


@contextmanager
def _translated(path: str, action: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise fault_from_oserror(path, action, exc) from exc


def _write(fd: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _transfer(source: int, target: int, name: str) -> None:
    """Copy the whole file inside the kernel. Raises DeviceFault if fewer bytes can be read than its size."""
    size = os.fstat(source).st_size
    done = 0
    while count := os.sendfile(target, source, None, _CHUNK):
        done += count
    if done != size:
        raise DeviceFault(name, f"only {done} of {size} bytes could be read")
