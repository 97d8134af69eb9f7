"""Whom a run trusts among HTTPS servers: decided by kernel argument, the kernel's own CA and RECOVERY, before the first
connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault, NetworkFault, RefusedByPolicy
from gprov.domain.mfg.urls import redacted
from gprov.domain.recovery_files import TRUST_FILE
from gprov.domain.unit.trust import (
    ARGUMENT,
    BUILT_IN,
    CaDigest,
    OwnCa,
    ServerTrust,
    SystemCas,
    ca_url,
    check_fetched,
    choose_trust,
    is_encrypted,
    parse_argument,
    parse_ca,
    parse_stored,
)
from gprov.ports.clock import Clock
from gprov.ports.files import Files
from gprov.ports.network import TrustStore
from gprov.ports.retry import retried

# Pauses between attempts, seconds: the link has only just come up.
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True, kw_only=True)
class TrustPorts:
    """``store``: made at the first call, since it loads TLS."""

    store: Callable[[], TrustStore]
    files: Files
    clock: Clock


def read_trust(files: Files, context: UnitContext) -> ServerTrust | None:
    """What provisioning stored on the mounted RECOVERY. None without such a file, or if it is damaged, which is
    reported: https servers are refused then."""
    path = f"{context.mount_points.recovery}/{TRUST_FILE}"
    try:
        return parse_stored(path, files.read(path)) if files.status(path) is not None else None
    except (BadInput, DeviceFault) as error:
        context.bus.error(error)
        return None


def trust_factory(ports: TrustPorts, context: UnitContext) -> ServerTrust | None:
    """For provisioning, which then verifies all its https servers so. None: nothing says whom to trust, and https is
    refused. Raises BadInput, RefusedByPolicy, IntegrityFault, NetworkFault."""
    url = context.arguments.mfg_url
    wanted = _wanted(ports.files, context, None)
    if wanted is None:
        return None
    if not is_encrypted(url):
        text = f"mfgurl is {redacted(url)}, but this unit verifies its servers: mfgurl must be https"
        raise RefusedByPolicy(text)
    return _establish(ports, wanted, url, context.bus)


def is_of_the_kernel(files: Files, trust: ServerTrust | None) -> bool:
    """Whether this trust is the CA that the kernel was built with, not one of an argument or of RECOVERY. Raises
    BadInput, DeviceFault."""
    return trust is not None and trust == _built_in(files)


def trust_log_server(ports: TrustPorts, endpoint: str, stored: ServerTrust | None, context: UnitContext) -> None:
    """For reports to a server, at an address that may be http. ``stored``: of RECOVERY. Raises like
    ``trust_factory``."""
    wanted = _wanted(ports.files, context, stored)
    if wanted is None:
        return
    if is_encrypted(endpoint):
        _establish(ports, wanted, endpoint, context.bus)
    else:
        warn_unencrypted(endpoint, context.bus)


def warn_unencrypted(endpoint: str, bus: EventBus) -> None:
    bus.warning(f"{redacted(endpoint)} gets the log unencrypted, although this unit verifies its servers")


def _wanted(files: Files, context: UnitContext, stored: ServerTrust | None) -> ServerTrust | CaDigest | None:
    return choose_trust(parse_argument(context.arguments.mfg_ca), _built_in(files), stored)


def _built_in(files: Files) -> OwnCa | None:
    return parse_ca(BUILT_IN, files.read(BUILT_IN)) if files.status(BUILT_IN) is not None else None


def _establish(ports: TrustPorts, wanted: ServerTrust | CaDigest, url: str, bus: EventBus) -> ServerTrust:
    store = ports.store()
    if isinstance(wanted, CaDigest):
        source = ca_url(url)
        content = retried(ports.clock, lambda: store.fetch_ca(source), _PAUSES, NetworkFault)
        wanted = check_fetched(redacted(source), content, wanted)
    # The clock may be years late before the server has told the time.
    store.use(wanted, check_dates=isinstance(wanted, SystemCas))
    if isinstance(wanted, OwnCa):
        bus.log(f"servers are verified with the CA sha256:{wanted.digest}")
    else:
        bus.log(f"servers are verified with the CAs of the system, as {ARGUMENT} says")
    return wanted
