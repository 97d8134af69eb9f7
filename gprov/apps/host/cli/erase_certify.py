"""Action of ``gprov erase`` that issues certificates of reports."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.http_client import CaFile, http_client
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.erase.certificate import MAX_CERTIFICATE, parse_certificate
from gprov.domain.erase.report_fields import LINE
from gprov.domain.erase.report_text import parse_report
from gprov.domain.erase.signed import certificate_file
from gprov.domain.errors import BadInput, ExitCode, Problem
from gprov.domain.unit.trust import is_encrypted

if TYPE_CHECKING:  # loaded only by the action that needs it
    from gprov.ports.factory import ErasureRegistry


def certify(
    report: Annotated[str, typer.Argument(metavar="REPORT", help="an erase report")],
    key: Annotated[str | None, typer.Option(metavar="PEM", help="private Ed25519 key, of mode 0600")] = None,
    chain: Annotated[
        str | None, typer.Option(metavar="DIR", help="with --key: certificates of this key; the new one goes there")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(metavar="NAME", help="with --key: name in the certificate (default: host name)")
    ] = None,
    server: Annotated[str | None, typer.Option(metavar="URL", help="factory server that signs instead")] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="a further copy, outside of the chain folder (with --server: the only one)",
        ),
    ] = None,
    ca: CaFile = None,
    as_json: Json = False,
) -> int:
    """Issue the certificate of an erase report: with a key of this machine, or by the factory server."""
    if (server is None) == (key is None) or (key is None) != (chain is None):
        raise typer.BadParameter("give --key and --chain, or --server", param_hint="'--key' / '--chain' / '--server'")
    if ca is not None and (server is None or not is_encrypted(server)):
        raise typer.BadParameter("belongs to --server with an https URL", param_hint="'--ca'")
    if server is not None and output is None:
        raise typer.BadParameter("name the file for the certificate with --output", param_hint="'--server'")
    if issuer is not None and (server is not None or not issuer.strip()):
        wrong = "the server states its own name as issuer" if server is not None else "the name is empty"
        raise typer.BadParameter(wrong, param_hint="'--issuer'")
    if (
        chain is not None
        and output is not None
        and os.path.dirname(os.path.realpath(output)) == os.path.realpath(chain)
    ):
        where = f"{output} is in the chain folder, which gets the certificate anyway: name a file outside of it"
        raise typer.BadParameter(where, param_hint="'--output'")
    content = read_user_file(report, MAX_CERTIFICATE)
    serial = parse_report(content, report).unit.serial
    if server is not None and not serial.strip():
        unknown = "states no serial number of the machine: a server cannot register it, use --key and --chain"
        raise BadInput(report, [Problem("", unknown)])
    registry = _server(server, ca) if server is not None else _own(key or "", chain or "", issuer)
    signed = registry.register(content)
    found = parse_certificate(signed.certificate)
    if issuer is not None and found.issuer.name != LINE.write(issuer):
        already = f"has the certificate {found.chain.sequence} of {found.issuer.name} already: omit --issuer"
        raise BadInput(report, [Problem("", already)])
    paths = [] if chain is None else [os.path.join(chain, certificate_file(found.chain.sequence))]
    if output is not None:
        from gprov.adapters.linux.files.certificate_folder import write_signed
        from gprov.adapters.linux.files.files import LinuxFiles

        write_signed(LinuxFiles(), os.path.abspath(output), signed)
        paths.append(output)
    if as_json:
        document({"paths": paths, "sequence": found.chain.sequence, "verdict": found.report.verdict.value})
    else:
        say(f"{', '.join(paths)}: certificate {found.chain.sequence}, verdict {found.report.verdict.value}")
    return ExitCode.DONE


def _server(url: str, ca: str | None) -> ErasureRegistry:
    from gprov.adapters.linux.net.factory import HttpFactory
    from gprov.adapters.linux.system.clock import SystemClock

    return HttpFactory(http_client(ca), SystemClock(), url)


def _own(key: str, chain: str, issuer: str | None) -> ErasureRegistry:
    from gprov.adapters.linux.files.certificate_folder import FolderRegistry
    from gprov.adapters.linux.files.files import LinuxFiles
    from gprov.adapters.linux.system.ed25519 import signer_in

    name = issuer or socket.gethostname()
    return FolderRegistry(LinuxFiles(), os.path.abspath(chain), signer_in(key), name, time.time_ns)
