"""What the factory says: manufData.json, and a platform table that it may name."""

from __future__ import annotations

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, NetworkFault, Problem
from gprov.domain.mfg.manuf import ManufData, parse_manuf
from gprov.domain.mfg.urls import redacted
from gprov.domain.platform.table import Platform, parse_platform_table
from gprov.ports.clock import Clock
from gprov.ports.network import Http
from gprov.ports.retry import retried

_OK = 200
# The link has only just come up: the first packets may be lost.
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)


def fetch_manuf(http: Http, clock: Clock, url: str, branding: Branding, bus: EventBus) -> ManufData:
    """Raises NetworkFault, BadInput with every problem and its JSON path."""
    if not url:
        raise BadInput("kernel arguments", [Problem("mfgurl", "is missing: nobody says where manufData.json is")])
    what = redacted(url)
    data = parse_manuf(what, _get(http, clock, url), branding)
    for warning in data.warnings:
        bus.warning(f"{what}: {warning}")
    return data


def fetch_platforms(http: Http, clock: Clock, url: str) -> tuple[Platform, ...]:
    return parse_platform_table(redacted(url), _get(http, clock, url))


def _get(http: Http, clock: Clock, url: str) -> bytes:
    reply = retried(clock, lambda: http.request("GET", url), _PAUSES, NetworkFault)
    if reply.status != _OK:
        raise NetworkFault(redacted(url), f"status {reply.status}")
    return reply.body
