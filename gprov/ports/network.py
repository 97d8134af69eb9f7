"""Network interfaces and HTTP transfers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gprov.domain.files import Digests
from gprov.domain.unit.nics import Nic

# Bytes done, total bytes (0: unknown).
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
        """All physical Ethernet interfaces, sorted by kernel name."""

    def connect(self, nics: Sequence[Nic], seconds: float) -> Lease:
        """Bring the interfaces up and run DHCP on all of them. The first lease is used, the others are released.
        Raises NetworkFault if there is no lease within ``seconds``."""


# Digests of a finished download.
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
        """One HTTP exchange, no retries. Returns a Reply for any status. Raises NetworkFault if there is no complete
        reply within ``seconds``, or if the body is longer than ``limit`` bytes or shorter than announced."""

    def download(
        self,
        url: str,
        target: str,
        progress: TransferProgress,
        *,
        stall_seconds: float = 60.0,
        attempts: int = 6,
    ) -> Fetched:
        """Download to the file ``target``, compute its hashes, and flush it. ``target`` is a temporary name: the caller
        verifies and renames. An interrupted transfer is resumed with ``Range`` (restarted if the file changed on the
        server); pauses between attempts grow. Raises NetworkFault with the last reason, DeviceFault (disk full)."""
