"""Feeds a tar archive to GNU tar and detects all members that it could not restore.

GNU tar exits with status 0 although it could not set extended attributes or ACLs: its messages are checked too.
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
# Messages of tar about failures. Others (an ignored keyword, a removed leading slash) are harmless.
_FAILURE = re.compile(r"^tar: .*\bCannot\b", re.MULTILINE)
# Failures that an archive causes: all others are put down to disk, memory or kernel.
_CAUSED_BY_ARCHIVE = re.compile(
    "(: (File name too long|Invalid argument|Argument list too long|Numerical result out of range|File exists"
    "|Is a directory|Not a directory|Directory not empty|Too many links|Too many levels of symbolic links"
    "|File too large|No space left on device|Operation not supported|Operation not permitted"
    "|Value too large for defined data type)"
    "|: Cannot hard link to .*: No such file or directory)$"
    "|: Cannot acl_from_text|does not look like a tar archive|Malformed|Unexpected EOF in archive"
    "|Skipping to next header|Archive value .* is out of|where numeric .* value expected",
    re.DOTALL,
)
# Follows a failure to create a folder, and says nothing about the cause.
_CONSEQUENCE = re.compile(": No such file or directory$")
_ALWAYS_OTHER = re.compile("memory exhausted|Input/output error$")
_TAR_FAILED = (0, 1, 2)  # exit statuses of tar itself; 126 and 127 are of a tar that could not be started


def unpack_argv(target: str, *, acls: bool = True) -> list[str]:
    """Command line of GNU tar: unpack standard input into ``target`` with all attributes of a root file system.
    Extended attributes are limited to those that verification checked. ``acls``: the archive may have access control
    lists; with this option tar sets or removes those of each member, which takes a tenth of all system calls."""
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
        *(("--acls",) if acls else ()),
        "--selinux",
        "--delay-directory-restore",
        "--totals",
        "--warning=no-timestamp",
        "--warning=no-unknown-keyword",
    ]


class TarFeed:
    """Writes into a running tar. Raises ToolFailed with tar's messages, DeadlineExceeded if it stalls."""

    def __init__(self, child: Running, argv: list[str]) -> None:
        self._child = child
        self._argv = argv
        self._fd = child.stdin.fileno()
        self._fed = 0
        os.set_blocking(self._fd, False)
        with suppress(OSError):  # a smaller pipe works, with more switches between the two processes
            fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, _PIPE)
        self._writable = select.poll()
        self._writable.register(self._fd, select.POLLOUT)

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            if not self._writable.poll(int(_STALL_SECONDS * 1000)):
                raise DeadlineExceeded("unpacking stalled: tar reads no more data", _STALL_SECONDS)
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as exc:
                done = self._child.wait(_STALL_SECONDS)
                raise self._failure(done, "exited before the end of the archive") from exc
        self._fed += len(data)

    def finish(self) -> None:
        """Wait for tar after the last write, and compare its messages and byte count with the data written."""
        done = self._child.wait(_STALL_SECONDS)
        output = _text(done)
        if done.status != 0:
            raise self._failure(done, "failed")
        if _FAILURE.search(output):
            raise self._failure(done, "could not restore everything")
        total = _TOTAL.search(output)
        read = int(total[1]) if total else -1
        # tar counts whole records, and one more when it looks for another archive after this one.
        if not self._fed <= read <= self._fed + 2 * _RECORD:
            raise self._failure(done, f"read {read} of {self._fed} bytes")

    def _failure(self, done: Completed, event: str) -> ToolFailed:
        """ContentRefused for failures that only the archive can cause; ToolFailed for all others, which may happen with
        another archive too."""
        output = _text(done)
        first = _FAILURE.search(output)
        lines = [line for line in output.splitlines() if line.startswith("tar:")]
        cause = next((line for line in lines if first and line.startswith(first[0])), lines[-1] if lines else "")
        reason = f"{event}, exit status {done.status}" + (f": {cause}" if cause else "")
        kind = ContentRefused if done.status in _TAR_FAILED and _caused_by_archive(output) else ToolFailed
        return kind("tar", reason, command=" ".join(self._argv), output=output)


def _caused_by_archive(output: str) -> bool:
    """Did the archive cause all failures? One with another cause may have caused the others too. A message may have
    several lines: names contain line ends."""
    own = "\n".join(line for line in output.splitlines() if not _TOTAL.match(line))
    messages = [message.rstrip("\n") for message in re.split(r"^(?=tar: )", own, flags=re.MULTILINE)]
    caused = [bool(_CAUSED_BY_ARCHIVE.search(message)) for message in messages]
    open_cause = [
        message for message, known in zip(messages, caused, strict=True) if "Cannot " in message and not known
    ]
    return (
        any(caused)
        and all(map(_CONSEQUENCE.search, open_cause))
        and not any(_ALWAYS_OTHER.search(message) for message in messages)
    )


def require_folder(path: str) -> None:
    """Raise DeviceMissing if there is no such folder."""
    if not os.path.isdir(path):
        raise DeviceMissing(path, "cannot unpack: target is not a folder")


def _text(done: Completed) -> str:
    return done.output.decode(errors="replace")
