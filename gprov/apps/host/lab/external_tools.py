"""Reads volumes of stopped units with external tools: sfdisk, e2fsprogs, dosfstools, mtools, grub-fstest.

Nothing is mounted, and no code of the unit is used. Problems are returned as text.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.apps.host.lab.products import file_digest
from gprov.apps.host.lab.volumes import Slice
from gprov.domain.errors import ToolFailed
from gprov.ports.process import Processes

FSCK_SECONDS = 300.0
# The dirty bit of a volume that was not unmounted, and its consequences. The kernel mounts such a volume.
_HARMLESS = r"""(?mx)
    ^fsck\.fat\ .*$ | ^Dirty\ bit\ is\ set.*$ | ^\ *Automatically\ removing\ dirty\ bit\.$
    | ^There\ are\ differences\ between\ boot\ sector\ and\ its\ backup\.$ | ^This\ is\ mostly\ harmless\..*$
    | ^\ *65:01/00$ | ^\ *Not\ automatically\ fixing\ this\.$ | ^Leaving\ filesystem\ unchanged\.$
    | ^Free\ cluster\ summary\ wrong.*$ | ^\ *Auto-correcting\.$ | ^.*:\ \d+\ files,\ \d+/\d+\ clusters$
"""

# Path → kind, owner, mode, then size and digest of a file or target of a link.
Manifest = Mapping[str, str]


def manifest(folder: str) -> dict[str, str]:
    """Return the manifest of everything below a folder of the host."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            found[os.path.relpath(path, folder)] = _facts(path)
    return found


def ext_tree(processes: Processes, device: str) -> dict[str, str]:
    """Return the manifest of an ext volume without lost+found. ``device``: path, ``?offset=`` allowed."""
    with work_folder() as folder:
        tree = os.path.join(folder, "tree")
        os.mkdir(tree)
        processes.run(("debugfs", "-R", f"rdump / {tree}", device), timeout=FSCK_SECONDS)
        found = manifest(tree)
    found.pop("lost+found", None)
    return found


def ext_digest(processes: Processes, device: str, path: str) -> str:
    """Return the SHA-256 of a file; that of empty content, if it is missing."""
    return hashlib.sha256(processes.run(("debugfs", "-R", f"cat {path}", device)).output).hexdigest()


def grub_digest(processes: Processes, view: str, part: Slice, path: str) -> str:
    """Return the SHA-256 of a file as GRUB reads it: without replaying the journal."""
    argv = ("grub-fstest", view, "cat", f"(loop0,{part.number}){path}")
    return hashlib.sha256(processes.run(argv, check=False, timeout=FSCK_SECONDS).output).hexdigest()


def fat_digest(processes: Processes, image: str, path: str) -> str:
    """Return the SHA-256 of a file on FAT, "" if it cannot be read."""
    with work_folder() as folder:
        target = os.path.join(folder, "file")
        try:
            processes.run(("mcopy", "-n", "-o", "-i", image, f"::/{path}", target))
        except ToolFailed:
            return ""
        return file_digest(target) if os.path.exists(target) else ""


def table_problems(processes: Processes, view: str) -> Iterator[str]:
    done = processes.run(("sfdisk", "--verify", view), check=False)
    if done.status or b"No errors detected" not in done.output:
        yield f"sfdisk --verify: {_words(done.output + done.errors)}"


def ext_problems(processes: Processes, device: str) -> Iterator[str]:
    done = processes.run(("e2fsck", "-f", "-n", device), check=False, timeout=FSCK_SECONDS)
    if done.status:
        yield f"e2fsck: {_words(done.output + done.errors)}"


def repair_problems(processes: Processes, device: str) -> Iterator[str]:
    """Replay the journal and repair. Yields a problem if e2fsck cannot repair the volume without confirmation."""
    done = processes.run(("e2fsck", "-f", "-p", device), check=False, timeout=FSCK_SECONDS)
    if done.status not in (0, 1):
        yield f"e2fsck -p: {_words(done.output + done.errors)}"


def fat_problems(processes: Processes, image: str) -> Iterator[str]:
    """Yield the findings of fsck.fat except the dirty bit of a volume that was not unmounted."""
    done = processes.run(("fsck.fat", "-n", image), check=False, timeout=FSCK_SECONDS)
    findings = re.sub(_HARMLESS, "", (done.output + done.errors).decode(errors="replace")).strip()
    if findings and done.status:
        yield f"fsck.fat: {_words(findings.encode())}"


@contextmanager
def partition_copy(view: str, part: Slice) -> Iterator[str]:
    """Yield a sparse file with the content of a partition, for tools that accept no offset."""
    piece = 1 << 20
    with work_folder() as folder:
        target = os.path.join(folder, "partition")
        with (
            os_errors_translated(target),
            open(view, "rb", buffering=0) as source,
            open(target, "wb", buffering=0) as file,
        ):
            file.truncate(part.size)
            for start, end in _data(source.fileno(), part.start, part.start + part.size):
                for offset in range(start, end, piece):
                    os.pwrite(
                        file.fileno(), os.pread(source.fileno(), min(piece, end - offset), offset), offset - part.start
                    )
        yield target


def _data(file: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of data between two offsets, without holes."""
    while start < end:
        try:
            begin = os.lseek(file, start, os.SEEK_DATA)
        except OSError as exc:
            if exc.errno == errno.ENXIO:  # no further data
                return
            raise
        start = os.lseek(file, begin, os.SEEK_HOLE)
        if begin < end:
            yield begin, min(start, end)


@contextmanager
def work_folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="gprov-outside-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _facts(path: str) -> str:
    status = os.lstat(path)
    owner = f"{status.st_uid}:{status.st_gid}"
    if stat.S_ISLNK(status.st_mode):
        return f"link {owner} {os.readlink(path)}"
    mode = f"{stat.S_IMODE(status.st_mode):o}"
    if stat.S_ISREG(status.st_mode):
        return f"file {owner} {mode} {status.st_size} {file_digest(path)}"
    return f"{stat.S_IFMT(status.st_mode):o} {owner} {mode}"


def _words(output: bytes) -> str:
    text = output.decode(errors="replace")
    return re.sub(r"\s+", " ", text).strip()[:600]
