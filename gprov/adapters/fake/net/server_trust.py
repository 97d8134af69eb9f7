"""Which servers of the simulated network are trusted, by the CA that signed their certificate."""

from __future__ import annotations

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.net.origin import Cut, FakeOrigin, Refused
from gprov.domain.errors import NetworkFault, RefusedByPolicy
from gprov.domain.unit.trust import MAX_CA_BYTES, OwnCa, ServerTrust, is_encrypted
from gprov.ports.factory import TimeSource
from gprov.ports.network import TrustStore

_SECONDS = 20.0


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
        try:
            answer = self._origin.send(url, 0, _SECONDS, self._machine.clock)
        except (Cut, Refused) as exc:
            raise NetworkFault(url, str(exc)) from exc
        if answer.status != 200:
            raise NetworkFault(url, f"no CA certificate there: answered {answer.status}")
        if answer.endless or len(answer.body) > MAX_CA_BYTES:
            raise NetworkFault(url, f"its CA certificate is longer than {MAX_CA_BYTES} bytes")
        return answer.body

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
