"""Feeding a tar archive to GNU tar, and noticing everything that it does not manage.

GNU tar ends with status 0 when it could not set extended attributes or ACLs: what it says counts too.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
from contextlib import suppress

from gprov.domain.errors import ContentRefused, DeadlineExceeded, DeviceMissing, ToolFailed
from gprov.domain.formats.image.tar_attributes import TAKEN
from gprov.ports.process import Completed, Running

_RECORD_BLOCKS = 128  # of 512 bytes: how much tar reads at a time
_RECORD = _RECORD_BLOCKS * 512
_PIPE = 1 << 20
_STALL_SECONDS = 600.0  # without tar taking a byte
_TOTAL = re.compile(r"^Total bytes read: ([0-9]+)", re.MULTILINE)
# Messages of tar about something that it did not do. Others (an ignored keyword, a removed leading slash) are harmless.
_NOT_THE_ARCHIVE = re.compile(
    "(Input/output error|Read-only file system|Structure needs cleaning|No such device|Cannot allocate memory"
    "|memory exhausted|Bad message)$",
    re.MULTILINE,
)
_FAILURE = re.compile(r"^tar: .*\bCannot\b", re.MULTILINE)


def unpack_argv(target: str) -> list[str]:
    """GNU tar, unpacking standard input into ``target`` with all that a root file system has. Of extended
    attributes, those that verification checked."""
    return [
        "tar",
        "--extract",
        "--file=-",
        f"--directory={target}",
        f"--blocking-factor={_RECORD_BLOCKS}",
        "--ignore-zeros",
        "--preserve-permissions",
        "--same-owner",
        "--numeric-owner",
        "--xattrs",
        *(f"--xattrs-include={pattern}" for pattern in TAKEN),
        "--acls",
        "--selinux",
        "--delay-directory-restore",
        "--totals",
        "--warning=no-timestamp",
        "--warning=no-unknown-keyword",
    ]


class TarFeed:
    """Writes into a started tar. Raises ToolFailed with what tar said, DeadlineExceeded if it stalls."""

    def __init__(self, child: Running, argv: list[str]) -> None:
        self._child = child
        self._argv = argv
        self._fd = child.stdin.fileno()
        self._fed = 0
        os.set_blocking(self._fd, False)
        with suppress(OSError):  # a smaller pipe works, with more switches between the two processes
            fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, _PIPE)
        self._room = select.poll()
        self._room.register(self._fd, select.POLLOUT)

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            if not self._room.poll(int(_STALL_SECONDS * 1000)):
                raise DeadlineExceeded("tar takes no more data", _STALL_SECONDS)
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as exc:
                done = self._child.wait(_STALL_SECONDS)
                raise self._failure(done, "ended before the archive did") from exc
        self._fed += len(data)

    def finish(self) -> None:
        """All was written: wait for tar, and compare what it says with what it was given."""
        done = self._child.wait(_STALL_SECONDS)
        said = _text(done)
        if done.status != 0:
            raise self._failure(done, "failed")
        if _FAILURE.search(said):
            raise self._failure(done, "could not restore everything")
        total = _TOTAL.search(said)
        read = int(total[1]) if total else -1
        # tar counts whole records, and one more when it looks for another archive behind the end of this one.
        if not self._fed <= read <= self._fed + 2 * _RECORD:
            raise self._failure(done, f"read {read} of {self._fed} bytes")

    def _failure(self, done: Completed, what: str) -> ToolFailed:
        """What the disk or the kernel did is not the archive's fault: another one would fare no better."""
        said = _text(done)
        first = _FAILURE.search(said)
        lines = [line for line in said.splitlines() if line.startswith("tar:")]
        cause = next((line for line in lines if first and line.startswith(first[0])), lines[-1] if lines else "")
        reason = f"{what}, exit status {done.status}" + (f": {cause}" if cause else "")
        own = done.status >= 0 and lines and not _NOT_THE_ARCHIVE.search(said)
        kind = ContentRefused if own else ToolFailed
        return kind("tar", reason, command=" ".join(self._argv), output=said)


def require_folder(path: str) -> None:
    """Raises DeviceMissing if there is no such folder."""
    if not os.path.isdir(path):
        raise DeviceMissing(path, "is not a folder to unpack into")


def _text(done: Completed) -> str:
    return done.output.decode(errors="replace")
