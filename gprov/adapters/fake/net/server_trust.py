"""Which servers of the simulated network are trusted, by the CA that signed their certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.errors import NetworkFault, RefusedByPolicy
from gprov.domain.unit.trust import MAX_CA_BYTES, OwnCa, ServerTrust, is_encrypted
from gprov.ports.factory import TimeSource
from gprov.ports.network import TrustStore

if TYPE_CHECKING:
    from gprov.adapters.fake.net.network import FakeOrigin

_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class FakeCertificate:
    """Of all https servers of an origin. ``ca``: None for one of the system's. Valid from ``begins`` to ``ends``, ns
    since the epoch."""

    ca: OwnCa | None
    begins: int = 0
    ends: int = 1 << 62
    names_other_server: bool = False


class FakeTrust(TrustStore):
    """Trusts no server until ``use``."""

    def __init__(self, machine: SimulatedMachine, origin: FakeOrigin) -> None:
        self._machine = machine
        self._origin = origin
        self._trust: ServerTrust | None = None
        self._check_dates = True

    @override
    def use(self, trust: ServerTrust, *, check_dates: bool) -> None:
        self._trust = trust
        self._check_dates = check_dates or not isinstance(trust, OwnCa)

    @override
    def fetch_ca(self, url: str) -> bytes:
        self._machine.begin_write(f"GET {url}")
        status, content, _, whole = self._origin.send(url, 0, _SECONDS, self._machine.clock)
        if status != 200 or not whole:
            raise NetworkFault(url, f"no CA certificate there: status {status}")
        if len(content) > MAX_CA_BYTES:
            raise NetworkFault(url, f"its CA certificate is longer than {MAX_CA_BYTES} bytes")
        return content

    def check(self, url: str) -> None:
        """Raises RefusedByPolicy if nothing says whom to trust, NetworkFault if the server's certificate is not
        valid."""
        if not is_encrypted(url):
            return
        if self._trust is None:
            raise RefusedByPolicy(f"{url}: no CA is known with which to verify this server")
        shown = self._origin.certificate
        if shown is None:
            raise NetworkFault(url, "TLS failed: the server has no certificate")
        if shown.ca != (self._trust if isinstance(self._trust, OwnCa) else None):
            raise NetworkFault(url, "its certificate is not valid: unable to get local issuer certificate")
        if shown.names_other_server:
            raise NetworkFault(url, "its certificate is not valid: hostname mismatch")
        now = self._machine.clock.now_ns()
        if self._check_dates and not shown.begins <= now < shown.ends:
            late = now >= shown.ends
            raise NetworkFault(url, f"its certificate is not valid: {'expired' if late else 'not yet valid'}")


class VerifiedTime(TimeSource):
    """The time of a server that is verified at each call."""

    def __init__(self, trust: FakeTrust, url: str, source: TimeSource) -> None:
        self._trust = trust
        self._url = url
        self._source = source

    @override
    def time_ns(self) -> int:
        self._trust.check(self._url)
        return self._source.time_ns()
