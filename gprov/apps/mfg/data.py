"""Data of the factory: ``manufData.json``, and a platform table that it may name."""

from __future__ import annotations

from gprov.apps.mfg.origin import OriginCheck
from gprov.apps.unit.composition.context import UnitContext
from gprov.domain.errors import BadInput, NetworkFault, Problem
from gprov.domain.mfg.encryption import require_encryption
from gprov.domain.mfg.manuf import MAX_DOCUMENT, ManufData, parse_manuf
from gprov.domain.mfg.urls import redacted
from gprov.domain.platform.table import Platform, parse_platform_table
from gprov.ports.clock import Clock
from gprov.ports.network import Http
from gprov.ports.retry import retried

_OK = 200
# Pauses between attempts, seconds. The link has only just come up, and the first packets may be lost.
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)


def fetch_manuf(http: Http, clock: Clock, origin: OriginCheck, context: UnitContext, *, verified: bool) -> ManufData:
    """``manufData.json`` from the URL in the kernel arguments. ``verified``: the servers of this run are verified, so
    the file must not lead to others. Raises NetworkFault, RefusedByPolicy, BadInput with every problem and its JSON
    path."""
    url = context.arguments.mfg_url
    if not url:
        raise BadInput("kernel arguments", [Problem("mfgurl", "is missing: set it to the URL of manufData.json")])
    source = redacted(url)
    content = _get(http, clock, url)
    trust = origin.check(url, content)
    data = parse_manuf(source, content, context.branding)
    if verified:
        require_encryption(source, data)
    origin.require_proof(trust, source, data)
    for reading in data.readings:
        context.bus.log(f"{source}: {reading}")
    for warning in data.warnings:
        context.bus.warning(f"{source}: {warning}")
    return data


def fetch_platforms(http: Http, clock: Clock, url: str) -> tuple[Platform, ...]:
    """Raises NetworkFault, BadInput."""
    return parse_platform_table(redacted(url), _get(http, clock, url))


def _get(http: Http, clock: Clock, url: str) -> bytes:
    reply = retried(clock, lambda: http.request("GET", url, limit=MAX_DOCUMENT), _PAUSES, NetworkFault)
    if reply.status != _OK:
        raise NetworkFault(redacted(url), f"status {reply.status}")
    return reply.body
