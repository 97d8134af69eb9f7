"""Ports of the agent for updates over the air, besides those that all programs of a unit have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from gprov.domain.update.window import LocalMinute
from gprov.ports.network import Reply


class LocalTime(Protocol):
    def now(self) -> LocalMinute:
        """By the clock and the time zone of the system."""


class Restart(Protocol):
    def restart(self) -> None:
        """Ask the system to end its services and to restart. Returns at once. Raises DeviceFault, ToolFailed,
        ToolMissing."""


class ArtifactStream(Protocol):
    """A file that a server is sending. ``begin``: place of the first byte that comes; 0 if the server sends the whole
    file, although the rest was asked for. ``proof``: ETag or date by which it recognises the file, "" for none.
    ``resumable``: would it also send the rest alone?"""

    @property
    def begin(self) -> int: ...

    @property
    def proof(self) -> str: ...

    @property
    def resumable(self) -> bool: ...

    def blocks(self) -> Iterator[bytes]:
        """Raises NetworkFault: also if less comes than was announced, or nothing for a while."""


class UpdateServer(Protocol):
    """HTTP with a server whose certificate is checked as the configuration says."""

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 1 << 20,
    ) -> Reply:
        """One exchange, no retries. Returns a Reply for any status. Raises NetworkFault: also for a body of more than
        ``limit`` bytes, and for a redirection of anything but GET."""

    def open(
        self, url: str, *, begin: int = 0, proof: str = "", headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[ArtifactStream]:
        """A file from byte ``begin`` on, if it still has the ``proof``. Raises NetworkFault, HttpRefusal for a status
        that a retry does not change."""


class PartFile(Protocol):
    """A file that grows at its end."""

    @property
    def size(self) -> int: ...

    def append(self, block: bytes) -> None:
        """Raises DeviceFault."""

    def shorten(self, size: int) -> None:
        """Keep the first ``size`` bytes. Raises DeviceFault."""

    def flush(self) -> None:
        """Make durable what was written, and the name of the file. Raises DeviceFault."""


class PartFiles(Protocol):
    def open(self, path: str) -> AbstractContextManager[PartFile]:
        """Open for appending; the file is made if there is none. Not through a link. Raises DeviceFault."""

    def blocks(self, path: str) -> Iterator[bytes]:
        """The content, read from the medium, bypassing the cache. Raises DeviceFault, DeviceMissing."""
