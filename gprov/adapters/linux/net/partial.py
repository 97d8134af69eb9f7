"""A download in progress: the file so far, its hashes, and the validators for resuming it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

from gprov.adapters.linux.net.transport import TransferInterrupted
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.files import Digests

_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")  # RFC 9110, section 14.4


class PartialFile:
    """``size``: bytes written; ``total``: bytes announced by the server, 0 if unknown.

    Encoded content (``Content-Encoding``) is stored as it is sent: the hash in manufData.json is that of the file on
    the server. All parts must have the same encoding.
    """

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._parts = True
        self.restart({}, None)

    def restart(self, headers: Mapping[str, str], length: int | None) -> None:
        """Empty the file; the headers describe the new content."""
        with _translated(self._path):
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        self.size = 0
        self.total = length or 0
        self._etag = headers.get("ETag", "")
        self._modified = headers.get("Last-Modified", "")
        self._encoding = _encoding(headers)
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def write(self, block: bytes) -> None:
        with _translated(self._path):
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self._sha1.update(block)
        self._sha256.update(block)
        self.size += len(block)

    def finish(self) -> Digests:
        """Flush to stable storage."""
        with _translated(self._path):
            os.fsync(self._descriptor)
        return Digests(self.size, self._sha1.hexdigest(), self._sha256.hexdigest())

    def resume_headers(self) -> dict[str, str]:
        """Request headers for the rest of this file; empty if a changed file could not be detected."""
        # A weak tag means "as good as", not "the same bytes" (RFC 9110, section 8.8.1).
        proof = self._etag if self._etag.startswith('"') else self._modified
        # A header that was folded over several lines, or is in nobody knows which encoding, cannot be sent back.
        sendable = proof.isascii() and proof.isprintable()
        if not self._parts or not self.size or not self.total or not proof or not sendable:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": proof}

    def begin(self, headers: Mapping[str, str], length: int | None) -> None:
        """Begin a whole answer (200). Content-Range has no meaning there (RFC 9110, section 14.4). Some servers send
        one with a part: raises TransferInterrupted if it is not the whole file."""
        self.restart(headers, length)
        stated = headers.get("Content-Range", "")
        match = _RANGE.fullmatch(stated)
        if stated and (match is None or (int(match[1]), int(match[2])) != (0, int(match[3]) - 1)):
            self._refuse_parts("it sent a part as if it were the whole file")

    def check_continuation(self, headers: Mapping[str, str], length: int | None = None) -> None:
        """Check that a partial answer (206) continues this file at the current position; else restart and raise
        TransferInterrupted."""
        match = _RANGE.fullmatch(headers.get("Content-Range", ""))
        fits = match is not None and (int(match[1]), int(match[3])) == (self.size, self.total)
        if headers.get("ETag", self._etag) != self._etag:
            self.restart({}, None)
            raise TransferInterrupted("the file on the server changed")
        if not fits or (length or 0) > self.total - self.size:
            self._refuse_parts("it sent another part than was asked for")
        if _encoding(headers) != self._encoding:
            self._refuse_parts("it sent the rest in another encoding")

    def _refuse_parts(self, reason: str) -> NoReturn:
        """Disable range requests for this file: this server's partial answers are not reliable."""
        self.restart({}, None)
        self._parts = False
        raise TransferInterrupted(reason)


def _encoding(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Encoding", "identity").strip().lower() or "identity"


@contextmanager
def open_partial(path: str) -> Iterator[PartialFile]:
    """An empty file. Raises DeviceMissing, DeviceFault."""
    with _translated(path):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o644)
    try:
        yield PartialFile(path, descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise fault_from_oserror(path, "cannot write", exc) from exc
