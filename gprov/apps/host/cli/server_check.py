"""``gprov server check``: is a data folder and its host ready for units?"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli import server_keys as keys
from gprov.apps.host.cli import server_values as values
from gprov.apps.host.cli.http_client import CaFile, http_client
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.domain.branding import Branding
from gprov.domain.errors import ExitCode

if TYPE_CHECKING:
    from gprov.domain.factory.setup.finding import Finding

_NAMES = Branding()


def check(
    data: values.Data,
    key_file: keys.KeyFileOption = None,
    quick: Annotated[bool, typer.Option("--quick", help="sizes only: no hashes, no images")] = False,
    network: Annotated[
        bool, typer.Option("--network/--no-network", help="look for DHCP servers, and for files on other servers")
    ] = True,
    image_prefix: Annotated[
        str, typer.Option(metavar="PREFIX", help="what names of your images begin with")
    ] = _NAMES.image_prefix,
    boot_kernel: Annotated[str, typer.Option(metavar="NAME", help="name of your boot kernel")] = _NAMES.boot_kernel,
    ca: CaFile = None,
    as_json: Json = False,
) -> int:
    """Everything that can be wrong before units come: settings, documents, files with sizes and hashes, kernels and
    images, address, room, modes, key, clock, DHCP. Exit status 1 if there is a problem; warnings do not count. A server
    may be running meanwhile."""
    from gprov.apps.server.setup.check import CheckOptions, findings
    from gprov.domain.factory.setup.finding import Level

    options = CheckOptions(
        folder=os.path.abspath(data),
        branding=Branding(image_prefix=image_prefix, boot_kernel=boot_kernel),
        http=http_client(ca or _own_ca(data)),
        key_file=key_file or "",
        default_key=keys.default_key_file(os.geteuid(), os.environ),
        quick=quick,
        network=network,
    )
    found = []
    for finding in findings(options):
        found.append(finding)
        if not as_json:
            colour = "red" if finding.level is Level.PROBLEM else "yellow"
            say(f"{finding.level.value}: {finding.describe()}", colour=colour)
    problems = sum(finding.level is Level.PROBLEM for finding in found)
    if as_json:
        document({"data": options.folder, "valid": not problems, "findings": [_row(finding) for finding in found]})
    else:
        counted = f"{problems} problem(s), {len(found) - problems} warning(s)"
        say(f"{options.folder}: {counted}", err=True, colour="red" if problems else "green")
    return ExitCode.NEGATIVE if problems else ExitCode.DONE


def _own_ca(data: str) -> str | None:
    """Path of the certificate of the folder's own CA, None without one."""
    path = os.path.join(data, "tls", "ca.pem")
    return path if os.path.exists(path) else None


def _row(finding: Finding) -> dict[str, str]:
    return {**asdict(finding), "level": finding.level.value}
