"""Whether manufData.json is the owner's: by a signature beside it, or since it came from a server that the kernel's own
CA verifies."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.image_trust import ImageTrust
from gprov.apps.unit.recovery.known_trust import ImageTrustPorts
from gprov.domain.errors import NetworkFault, RefusedByPolicy
from gprov.domain.formats.minisign import MAX_FILE
from gprov.domain.image.manifest import SIGNATURE_SUFFIX
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mfg.origin import require_hashes, unverified_endpoints, url_beside
from gprov.domain.mfg.urls import redacted
from gprov.domain.trust.chain import CHAIN_FILE, MAX_CHAIN
from gprov.ports.clock import Clock
from gprov.ports.network import Http
from gprov.ports.retry import retried

_OK = 200
# Some stores of files hide what is not there as forbidden.
_NOT_THERE = (403, 404, 410)
_PAUSES = (1.0, 2.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class OriginCheck:
    """``verified``: servers of this run are verified with the CA that the kernel was built with. (One that a kernel
    argument names proves nothing: arguments come over the network.)"""

    http: Http
    clock: Clock
    trust: ImageTrustPorts
    context: UnitContext
    verified: bool

    def check(self, url: str, content: bytes) -> ImageTrust:
        """Before ``content``, which came from ``url``, is parsed. Returns what images are judged by. Raises
        RefusedByPolicy, NetworkFault."""
        trust = ImageTrust(self.trust, self.context, has_recovery=False)
        if not trust.judges:
            return trust
        source, bus = redacted(url), self.context.bus
        if self.verified:
            bus.log(f"{source} is the owner's: the kernel's own CA verifies its server")
            return trust
        chain = self._optional(url_beside(url, CHAIN_FILE), MAX_CHAIN)
        if chain is not None:
            trust.offer_chain(redacted(url_beside(url, CHAIN_FILE)), chain)
        doubt = trust.document_doubt(
            source, content, self._optional(url_beside(url, suffix=SIGNATURE_SUFFIX), MAX_FILE)
        )
        if not doubt:
            bus.log(f"{source} is the owner's: its signature is valid")
        elif trust.enforces:
            remedy = "sign it (gprov manuf sign), or serve it by https and build the kernel with the CA (--ca)"
            raise RefusedByPolicy(f"{source} is refused: {doubt}. To have it accepted, {remedy}")
        else:
            bus.warning(f"{source}: {doubt}")
        return trust

    def require_proof(self, trust: ImageTrust, source: str, data: ManufData) -> None:
        """What the file leads to. Raises BadInput."""
        if not trust.judges:
            return
        if trust.enforces:
            require_hashes(source, data, verified=self.verified)
        for endpoint in unverified_endpoints(data):
            self.context.bus.warning(
                f"{redacted(endpoint)} is not verified: passwords and reports are safe only in a network of your own"
            )

    def _optional(self, url: str, limit: int) -> bytes | None:
        """None if the server does not have it. Raises NetworkFault."""
        reply = retried(self.clock, lambda: self.http.request("GET", url, limit=limit), _PAUSES, NetworkFault)
        if reply.status in _NOT_THERE:
            return None
        if reply.status != _OK:
            raise NetworkFault(redacted(url), f"status {reply.status}")
        return reply.body
