"""Reads and changes the disks of a stopped unit.

A disk is exported as a raw file by QEMU's storage daemon (FUSE), so that the ordinary tools can be used on it; ext
volumes are read and changed with debugfs, at their offset in that file, without mounting anything.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gprov.apps.host.initramfs.hostfiles import os_errors_translated, write_file
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.domain.branding import Branding
from gprov.domain.errors import DeadlineExceeded, DeviceFault, DeviceMissing, ToolFailed
from gprov.domain.formats.json.reading import finish, read_object
from gprov.ports.process import Processes, Running

_DAEMON = "qemu-storage-daemon"
_EXPORT_SECONDS = 20.0
_EDGE = 2 << 20
_NOT_THERE = "File not found by ext2_lookup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One partition: ``start`` and ``size`` in bytes, ``name``: that in the GPT, ``kind``: its type."""

    number: int
    start: int
    size: int
    name: str
    kind: str


@contextmanager
def raw_view(processes: Processes, image: str, *, writable: bool = False) -> Iterator[str]:
    """Yield the path of a file with the content of a disk image. No running machine may use the image."""
    folder = tempfile.mkdtemp(prefix="gprov-view-")
    view, pid_file = os.path.join(folder, "disk"), os.path.join(folder, "pid")
    try:
        write_file(view, b"")
        export = {"type": "fuse", "id": "view", "node-name": "disk", "mountpoint": view, "writable": writable}
        node = {"driver": "qcow2", "node-name": "disk", "read-only": not writable, "discard": "unmap"}
        source = {"driver": "file", "filename": os.path.abspath(image)}
        options = ("--blockdev", json.dumps(node | {"file": source}), "--export", json.dumps(export))
        with processes.start((_DAEMON, *options, "--pidfile", pid_file)) as running:
            _wait_exported(running, pid_file)
            try:
                yield view
            finally:
                # SIGTERM, so that the daemon flushes and unmounts; errors of the body are passed on.
                os.kill(running.pid, signal.SIGTERM)
                running.wait(_EXPORT_SECONDS)
    finally:
        shutil.rmtree(folder)


def partitions(processes: Processes, view: str) -> tuple[Slice, ...]:
    """Return the partitions in a raw view, as read by sfdisk. Raises ToolFailed if there is no partition table."""
    raw = processes.run(("sfdisk", "--json", view)).output
    root = read_object(f"partition table of {view}", raw)
    table = root.object("partitiontable", required=True)
    if table is None:
        return finish(view, root, ())
    sector = table.integer("sectorsize", 512)
    found = tuple(
        Slice(
            number=number,
            start=entry.integer("start", required=True) * sector,
            size=entry.integer("size", required=True) * sector,
            name=entry.text("name"),
            kind=entry.text("type"),
        )
        for number, entry in enumerate(table.objects("partitions"), 1)
    )
    return finish(view, root, found)


class ExtVolume:
    """An ext2/3/4 file system at ``offset`` (bytes) of a raw view. Paths are absolute, without blanks."""

    def __init__(self, processes: Processes, view: str, offset: int) -> None:
        self._processes = processes
        self._device = f"{view}?offset={offset}"
        self._view = view
        self._offset = offset

    def read(self, path: str) -> bytes:
        """Raises DeviceMissing."""
        return self._debugfs(path, f"cat {path}")

    def names(self, folder: str) -> tuple[str, ...]:
        """Sorted names in a folder. Raises DeviceMissing."""
        lines = self._debugfs(folder, f"ls -p {folder}").decode().splitlines()
        # /inode/mode/uid/gid/name/size/
        names = (line.split("/")[5] for line in lines if line.startswith("/"))
        return tuple(sorted(name for name in names if name not in (".", "..")))

    def has(self, path: str) -> bool:
        return os.path.basename(path) in self.names(os.path.dirname(path))

    def remove(self, path: str) -> None:
        self._debugfs(path, f"rm {path}", write=True)

    def make_folder(self, path: str) -> None:
        self._debugfs(path, f"mkdir {path}", write=True)

    def add(self, source: str, path: str) -> None:
        """Copy a file of the host, with its permissions, to a new path."""
        if any(letter.isspace() for letter in source + path):
            raise DeviceFault(source, "a path with blanks cannot be given to debugfs")
        # The debugfs command write creates files only in the current folder.
        script = f"cd {os.path.dirname(path)}\nwrite {source} {os.path.basename(path)}\n"
        self._script(path, script)

    def corrupt(self, path: str, position: int) -> None:
        """Invert the bits of one byte of a file on the medium."""
        size = self._block_size()
        block = int(self._debugfs(path, f"bmap {path} {position // size}").split()[0])
        if block == 0:
            raise DeviceFault(path, f"has a hole at {position}")
        offset = self._offset + block * size + position % size
        with os_errors_translated(self._view), open(self._view, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 0xFF]))

    def _block_size(self) -> int:
        lines = self._debugfs("superblock", "show_super_stats -h").decode().splitlines()
        return int(next(line for line in lines if line.startswith("Block size:")).split()[-1])

    def _debugfs(self, path: str, request: str, *, write: bool = False) -> bytes:
        mode = ("-w",) if write else ()
        return self._run(path, ("debugfs", *mode, "-R", request, self._device), b"")

    def _script(self, path: str, text: str) -> bytes:
        return self._run(path, ("debugfs", "-w", "-f", "-", self._device), text.encode())

    def _run(self, path: str, argv: tuple[str, ...], stdin: bytes) -> bytes:
        done = self._processes.run(argv, stdin=stdin)
        # debugfs always exits with 0; standard error holds its version and error messages.
        complaints = [line for line in done.errors.decode().splitlines() if line and not line.startswith("debugfs ")]
        if any(_NOT_THERE in line for line in complaints):
            raise DeviceMissing(path, "no such file on the volume")
        if complaints:
            raise ToolFailed("debugfs", complaints[0], output="\n".join(complaints))
        return done.output


@contextmanager
def ext_volume(processes: Processes, image: str, number: int, *, writable: bool = False) -> Iterator[ExtVolume]:
    """The file system on partition ``number`` of a disk image. Raises DeviceMissing if there is no such partition."""
    with raw_view(processes, image, writable=writable) as view:
        found = next((part for part in partitions(processes, view) if part.number == number), None)
        if found is None:
            raise DeviceMissing(image, f"has no partition {number}")
        yield ExtVolume(processes, view, found.start)


def remove_flag(processes: Processes, unit: VirtualUnit) -> None:
    """Remove the flag file from PRIMARY. A PRIMARY without partitions or without the file is not changed.

    Volumes on arrays cannot be accessed without md: the data disks are made blank, which leads to a restore too.
    """
    if len(unit.spec.primaries) > 1:
        for index in range(len(unit.spec.primaries)):
            _blank(processes, unit.primary(index))
        return
    with raw_view(processes, unit.primary(), writable=True) as view:
        try:
            found = partitions(processes, view)
        except ToolFailed:  # no partition table: never restored
            return
        flag = f"/{Branding().flag_file}"
        for part in found[-1:]:
            volume = ExtVolume(processes, view, part.start)
            if volume.has(flag):
                volume.remove(flag)


def _blank(processes: Processes, image: str) -> None:
    """Overwrite both ends of a disk (partition table, its backup, superblocks of arrays) with zeros."""
    with raw_view(processes, image, writable=True) as view, os_errors_translated(view), open(view, "r+b") as file:
        end = file.seek(0, os.SEEK_END)
        for offset in (0, end - _EDGE):
            file.seek(offset)
            file.write(bytes(_EDGE))


def _wait_exported(running: Running, pid_file: str) -> None:
    end = time.monotonic() + _EXPORT_SECONDS
    while not os.path.exists(pid_file):
        if running.poll() is not None:
            done = running.wait(_EXPORT_SECONDS)
            raise ToolFailed(_DAEMON, "cannot export the image", output=done.output.decode(errors="replace"))
        if time.monotonic() >= end:
            raise DeadlineExceeded(_DAEMON, _EXPORT_SECONDS)
        time.sleep(0.02)
