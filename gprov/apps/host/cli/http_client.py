"""The HTTP client of commands, and the option that says whom it trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.unit.trust import MAX_CA_BYTES, SystemCas, parse_ca

if TYPE_CHECKING:  # loaded only by commands that ask a server
    from gprov.ports.network import Http

CaFile = Annotated[
    str | None,
    typer.Option("--ca", metavar="FILE", help="CA certificate of the https server (default: the CAs of the system)"),
]


def http_client(ca: str | None) -> Http:
    """``ca``: path of the CA certificate that https servers are verified with, None for the system's CAs. Raises
    DeviceMissing, DeviceFault, BadInput."""
    from gprov.adapters.linux.net.http import RequestsHttp
    from gprov.adapters.linux.net.server_trust import HttpTrust
    from gprov.adapters.linux.system.clock import SystemClock

    trust = HttpTrust()
    trust.use(SystemCas() if ca is None else parse_ca(ca, read_user_file(ca, MAX_CA_BYTES)), check_dates=True)
    return RequestsHttp(SystemClock(), trust)
