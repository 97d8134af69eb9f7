"""Fetching an image into its unfinished file on RECOVERY, in pieces that survive restarts of agent, server and unit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.apps.update.server import DdiServer
from gprov.apps.update.source import ImageSource
from gprov.domain.errors import HttpRefusal, IntegrityFault, NetworkFault
from gprov.ports.clock import Deadline
from gprov.ports.update import PartFile

# What a power cut may lose: bytes between two flushes.
FLUSH_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """``size``: bytes of the image that are on RECOVERY. ``tail``: what stands behind the image on the server; None if
    the time was over before."""

    size: int
    tail: bytes | None


class BrokenDownload(NetworkFault):
    """A connection broke after a part of the image had come: there is no reason to wait longer than the time before."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """``proof``: by which the server recognises the file of which a part is there, "" if that is not known.
    ``keep_proof`` is called with the one that it has now, ``keep_flushed`` with the bytes that are durable.
    ``seconds``: after them, a server that has sent what was asked for, and sends parts of files, is asked again
    later."""

    proof: str
    keep_proof: Callable[[str], None]
    keep_flushed: Callable[[int], None]
    seconds: float


class ImageFetcher:
    def __init__(self, ports: UpdatePorts, paths: UpdatePaths, context: UnitContext) -> None:
        self._ports = ports
        self._paths = paths
        self._bus = context.bus

    def drop_unflushed(self, filename: str, flushed: int) -> None:
        """After a restart of the unit: what may not have been durable. Raises DeviceFault."""
        with self._ports.parts.open(self._paths.part(filename)) as part:
            part.shorten(flushed)

    def fetch(self, server: DdiServer, source: ImageSource, limits: FetchLimits) -> Fetched:
        """Fetch what is missing. Raises NetworkFault, HttpRefusal, DeviceFault; what has come until then stays."""
        with self._ports.parts.open(self._paths.part(source.name.filename)) as part:
            if part.size > source.size:
                self._empty(part, limits)
            if part.size == source.size and not source.tail_size:
                return Fetched(part.size, b"")
            before = part.size
            try:
                return self._receive(server, source, part, limits)
            except HttpRefusal:
                raise
            except NetworkFault as fault:
                if part.size > before:
                    raise BrokenDownload(fault.peer, fault.reason) from fault
                raise
            finally:
                self._flush(part, limits)

    def _receive(self, server: DdiServer, source: ImageSource, part: PartFile, limits: FetchLimits) -> Fetched:
        deadline = Deadline(self._ports.clock, limits.seconds)
        begin = len(source.head) + part.size if part.size else 0
        with server.open(source.artifact.url, begin, limits.proof) as stream:
            if begin and limits.proof and stream.proof != limits.proof:
                self._bus.warning(f"{source.artifact.name} has changed on the server: the download begins anew")
                self._empty(part, limits)
            limits.keep_proof(stream.proof)
            # One that sends the whole file in place of its rest may do so again: this connection is used to its end.
            receiver, flushed, before = _Receiver(source, part, stream.begin), part.size, part.size
            for block in stream.blocks():
                receiver.take(block)
                self._bus.progress(f"download {source.name.stem}", part.size, source.size)
                if part.size - flushed >= FLUSH_BYTES:
                    self._flush(part, limits)
                    flushed = part.size
                if receiver.is_complete:
                    break
                if deadline.passed and stream.resumable and stream.begin == begin:
                    return Fetched(part.size, None)
        if not receiver.is_complete:
            if part.size > before:  # a server may send less than was asked for (RFC 9110, section 14.2)
                return Fetched(part.size, None)
            reason = f"the server's file ends after {receiver.position} of {source.artifact.size} bytes"
            raise IntegrityFault(source.artifact.name, reason)
        return Fetched(part.size, bytes(receiver.tail))

    def _flush(self, part: PartFile, limits: FetchLimits) -> None:
        part.flush()
        limits.keep_flushed(part.size)

    def _empty(self, part: PartFile, limits: FetchLimits) -> None:
        limits.keep_flushed(0)
        part.shorten(0)

    def check(self, source: ImageSource, tail: bytes, digest: str) -> None:
        """The unfinished file, read back from the medium, is what server and manifest say. ``digest``: SHA-256 in the
        manifest, "" without one. Raises IntegrityFault, DeviceFault."""
        path = self._paths.part(source.name.filename)
        kind, value = source.artifact.hash
        whole = hashlib.new(kind or "sha256", source.head, usedforsecurity=False)
        image, size = hashlib.sha256(), 0
        for block in self._ports.parts.blocks(path):
            whole.update(block)
            image.update(block)
            size += len(block)
        whole.update(tail)
        if size != source.size:
            raise IntegrityFault(path, f"has {size} bytes on RECOVERY, must have {source.size}")
        if kind and whole.hexdigest() != value:
            raise IntegrityFault(path, f"its {kind.upper()} is not the one that the server has announced")
        if digest and image.hexdigest() != digest:
            raise IntegrityFault(path, "its SHA-256 is not the one in its manifest")


class _Receiver:
    """Takes the server's file from byte ``position`` on: of it, the image into ``part``, and what stands behind into
    ``tail``. What is there already is passed over."""

    def __init__(self, source: ImageSource, part: PartFile, position: int) -> None:
        self._first = len(source.head)
        self._end = self._first + source.size
        self._whole = source.artifact.size
        self._part = part
        self.position = position
        self.tail = bytearray()

    @property
    def is_complete(self) -> bool:
        return self.position >= self._whole

    def take(self, block: bytes) -> None:
        """Bytes beyond the announced size are an error that the hash will show."""
        begin, self.position = self.position, self.position + len(block)
        missing = self._first + self._part.size
        image = block[max(0, missing - begin) : max(0, self._end - begin)]
        if image and begin <= missing:
            self._part.append(image)
        self.tail += block[max(0, self._end - begin) :]
