"""Network interfaces and HTTP transfers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from gprov.domain.files import Digests
from gprov.domain.unit.lease import Lease
from gprov.domain.unit.nics import Nic

if TYPE_CHECKING:
    from gprov.domain.unit.trust import ServerTrust

# Bytes done, total bytes (0: unknown).
TransferProgress = Callable[[int, int], None]
# a sentence for the log
Report = Callable[[str], None]


class Network(Protocol):
    def nics(self) -> tuple[Nic, ...]:
        """All physical Ethernet interfaces, sorted by kernel name."""

    def connect(self, nics: Sequence[Nic], seconds: float, report: Report) -> Lease:
        """Bring these up and ask for an address on all at once; the first lease wins, the others are let go.
        Raises NetworkFault if none came within ``seconds``.

        From then on the interface is kept as its lease says: renewed, changed with it, and without addresses, routes
        and name servers from the moment that it is refused or runs out until there is another. ``report`` is called
        with each of these changes, in another thread.
        """


# Digests of a finished download.
Fetched = Digests


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = field(repr=False)  # may hold credentials


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """Of a download: ``size`` in bytes; seconds for all attempts together; seconds in which an attempt must make
    progress; attempts."""

    size: int
    seconds: float = 4 * 3600.0
    stall_seconds: float = 60.0
    attempts: int = 6


class TrustStore(Protocol):
    """Which servers the HTTPS connections of the ``Http`` beside it accept."""

    def use(self, trust: ServerTrust, *, check_dates: bool) -> None:
        """From now on. ``check_dates``: refuse certificates that are expired or not valid yet, which needs a clock that
        is right; the dates of certificates of system CAs are always checked. Raises BadInput if the certificate cannot
        be read."""

    def fetch_ca(self, url: str) -> bytes:
        """A CA certificate from a server that is not verified: the caller compares it with its digest. Raises
        NetworkFault, also for any status but 200 and for more than MAX_CA_BYTES."""


class Http(Protocol):
    """https URLs are refused (RefusedByPolicy) before ``TrustStore.use``. A server whose certificate is not valid
    raises NetworkFault."""

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

    def download(self, url: str, target: str, progress: TransferProgress, limits: TransferLimits) -> Fetched:
        """Stream into the file ``target``, hashing on the way, and flush it. ``target`` is a partial name: the caller
        verifies and renames. A transfer that breaks, or in ``limits.stall_seconds`` is slower than 32 KiB/s, is resumed
        with ``Range`` (from scratch if the server or file changed); pauses between attempts grow.

        Raises NetworkFault with the last reason, if the file is longer than ``limits.size`` bytes (announced or not;
        ``target`` is empty then), or if all attempts together took ``limits.seconds``; DeviceFault (disk full)."""
