"""``gprov server token``: a one-time token for a unit that is started by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from gprov.apps.host.cli import server_keys as keys
from gprov.apps.host.cli import server_values as values
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document
from gprov.apps.host.cli.server_store import opened, operator
from gprov.domain.boot.args import START_ARGUMENT
from gprov.domain.branding import Branding
from gprov.domain.errors import ExitCode

_HOUR_NS = 3600 * 10**9


def token(
    data: values.Data,
    serial: values.Serial,
    hours: Annotated[float, typer.Option(metavar="N", min=0.1, max=744, help="how long it can be used")] = 24.0,
    uses: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="for so many starts of the unit")] = 1,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
    as_json: Json = False,
) -> int:
    """Print the kernel argument with which a unit that is started by hand may be provisioned. (iPXE scripts of the
    server have one.) A server may be running meanwhile."""
    with opened(data, keys.KeySource(key_file, passphrase, passphrase_fd)) as server:
        made = server.gate().issue(serial, operator(""), round(hours * _HOUR_NS), uses)
    argument = f"{Branding().environment_prefix}{START_ARGUMENT}"
    if as_json:
        document({"argument": argument, "token": made.reveal()})
    else:
        print(f"{argument}={made.reveal()}")
    return ExitCode.DONE
