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
    """``announced``: Content-Length, None without one. It is all that the reply to HEAD has of a body."""

    status: int
    body: bytes = field(repr=False)  # may hold credentials
    announced: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLimits:
    """Of a download. ``room``: the most bytes that it may have. ``exact``: those that it must have, None if that is not
    known. ``stall_seconds``: in which an attempt must make progress. ``attempts``: how many.

    The time for all attempts and their pauses together depends on the size, since no fixed time fits both a script of
    1 KiB and an image of 4 GiB: ``grace_seconds`` and what the size takes with ``rate`` bytes a second, at most
    ``most_seconds``. The size is ``exact``, or else the one that the server announces, or else what has come so far.
    """

    room: int
    exact: int | None = None
    grace_seconds: float = 900.0
    rate: float = 64 << 10
    most_seconds: float = 12 * 3600.0
    stall_seconds: float = 60.0
    attempts: int = 6

    def seconds_for(self, size: int) -> float:
        return min(self.grace_seconds + size / self.rate, self.most_seconds)


def size_problem(limits: TransferLimits, size: int) -> str | None:
    """Why a file of ``size`` bytes, or of at least that many, is not fetched; None if it is."""
    if limits.exact is not None and size != limits.exact:
        remedy = "publish the file that is meant, or correct Size and hash"
        return f"and its Size in manufData.json is {limits.exact}: {remedy}"
    if size > limits.room:
        return f"and {limits.room} are left for it: use a larger volume, or fewer files"
    return None


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

        Raises NetworkFault with the last reason, if the file has not ``limits.exact`` bytes or is longer than
        ``limits.room`` (announced or not; ``target`` is empty then), or if all attempts together took longer than
        ``limits`` allow; DeviceFault (disk full). What is left at ``target`` is of no use to another call."""
