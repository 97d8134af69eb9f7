"""Interfaces and transfers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gprov.domain.files import Digests
from gprov.domain.unit.nics import Nic

# bytes so far, bytes in all (0: the server did not say)
TransferProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A configured interface. Addresses are text; ``prefix`` is the length of the network mask in bits."""

    interface: str
    address: str
    prefix: int
    gateway: str = ""
    name_servers: tuple[str, ...] = ()


class Network(Protocol):
    def nics(self) -> tuple[Nic, ...]:
        """Every physical Ethernet interface, by kernel name."""

    def connect(self, nics: Sequence[Nic], seconds: float) -> Lease:
        """Bring these up and ask for an address on all at once; the first lease wins, the others are let go.
        Raises NetworkFault if none came within ``seconds``."""


# What a finished download was.
Fetched = Digests


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = field(repr=False)  # may hold credentials


class Http(Protocol):
    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 16 << 20,
        seconds: float = 30.0,
    ) -> Reply:
        """One exchange. Any status is a Reply; raises NetworkFault if there is none within ``seconds`` in all, if the
        body is longer than ``limit`` bytes, or shorter than announced. No retries."""

    def download(
        self,
        url: str,
        target: str,
        progress: TransferProgress,
        *,
        stall_seconds: float = 60.0,
        attempts: int = 6,
    ) -> Fetched:
        """Stream into the file ``target``, hashing on the way, and flush it. ``target`` is a partial name: the caller
        verifies and renames. A transfer that breaks is resumed with ``Range`` (from scratch if the server or file
        changed); pauses between attempts grow. Raises NetworkFault with the last reason, DeviceFault (disk full)."""
