"""Actions of ``gprov server certificate``: the server's own CA and its certificates."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.server_values import Data
from gprov.domain.errors import BadInput, ExitCode
from gprov.domain.factory.settings.listen import host_name
from gprov.domain.unit.trust import argument_for

if TYPE_CHECKING:  # loaded only by the actions
    from gprov.apps.server.tls.certificate_files import CertificateStatus


def _name(text: str) -> str:
    try:
        return host_name(text)
    except BadInput as error:
        raise typer.BadParameter("; ".join(problem.message for problem in error.problems)) from error


Names = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="NAME", help="DNS name or address of the server; may be repeated", parser=_name),
]
CaKey = Annotated[
    str | None,
    typer.Option("--ca-key", metavar="FILE", help="private key of the CA (default: ca/ca.key in the data folder)"),
]

certificate = new_app("The server's own CA, and its certificates. docs/how-to/tls.md says whom they convince.")


@certificate.command("create")
def create(data: Data, name: Names = None, ca_key: CaKey = None, as_json: Json = False) -> int:
    """Make a CA and certificates of the server, for the names of server.toml unless some are given."""
    from gprov.adapters.linux.files.files import LinuxFiles
    from gprov.apps.server.stated_settings import stated_settings
    from gprov.apps.server.tls.certificate_files import create_own_ca

    names = name or stated_settings(LinuxFiles(), data).listen.all_names
    return _print(create_own_ca(data, names, time.time_ns(), ca_key), as_json=as_json)


@certificate.command("renew")
def renew(data: Data, name: Names = None, ca_key: CaKey = None, as_json: Json = False) -> int:
    """Make new certificates of the same CA, for the same names unless some are given. A running server uses them."""
    from gprov.apps.server.tls.certificate_files import renew as renewed

    return _print(renewed(data, name or None, time.time_ns(), ca_key), as_json=as_json)


@certificate.command("show")
def show(data: Data, as_json: Json = False) -> int:
    """Print the certificate that the server's settings name. Exit status 1 if it has expired."""
    from gprov.adapters.linux.files.files import LinuxFiles
    from gprov.apps.server.stated_settings import stated_settings
    from gprov.apps.server.tls.certificate_files import certificate_status
    from gprov.apps.server.tls.port_certificates import main_paths

    status = certificate_status(main_paths(data, stated_settings(LinuxFiles(), data).tls))
    return _print(status, as_json=as_json)


def _print(status: CertificateStatus, *, as_json: bool) -> int:
    days = status.days_left(time.time_ns())
    argument = argument_for(status.ca) if status.ca is not None else ""
    if as_json:
        begins, ends = (_time(each) for each in (status.begins, status.ends))
        document({"names": list(status.names), "begins": begins, "ends": ends, "days_left": days, "argument": argument})
    else:
        say(f"names: {', '.join(status.names)}")
        say(f"valid until {_time(status.ends)} ({days} days)")
        if argument:
            say(f"for units: {argument}")
    return ExitCode.DONE if days >= 0 else ExitCode.NEGATIVE


def _time(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
