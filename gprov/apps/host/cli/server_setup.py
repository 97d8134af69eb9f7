"""``gprov server init``: a data folder from nothing."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Annotated

import typer

from gprov.apps.host.cli import server_keys as keys
from gprov.apps.host.cli import server_netboot as netboot
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.server_certificate import CaKey
from gprov.domain.errors import BadInput, ExitCode
from gprov.domain.factory.dnsmasq import TFTP_ROOT, NetbootService
from gprov.domain.factory.settings.listen import base_url
from gprov.domain.factory.setup.unit_file import USER

DryRun = Annotated[bool, typer.Option("--dry-run", help="only list what would be made")]


def init(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="the data folder to be made; it must be missing or empty")
    ],
    interface: netboot.Interface,
    server: netboot.Server,
    addresses: netboot.Range = None,
    proxy: netboot.Proxy = None,
    router: netboot.Router = None,
    file: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="image, boot kernel or another file to publish; may be repeated"),
    ] = None,
    ipxe: Annotated[str, typer.Option(metavar="DIR", help="folder with iPXE's programs")] = TFTP_ROOT,
    isolated: Annotated[
        bool,
        typer.Option(
            "--isolated",
            help="no accounts, no tokens: only trusted machines and people",
        ),
    ] = False,
    user: Annotated[str, typer.Option(metavar="NAME", help="system user that will run the server")] = USER,
    key_file: keys.KeyFileOption = None,
    ca_key: CaKey = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Make a data folder: settings, templates of manufData.json and appliance.json, iPXE's programs, a configuration of
    dnsmasq, a service for systemd, the key of the store. Nothing that exists is changed."""
    from gprov.adapters.linux.keys.key_file import KeyFile
    from gprov.apps.server.setup.hints import own_command
    from gprov.apps.server.setup.init import InitSources, make_folder, make_store, planned_folder
    from gprov.domain.factory.setup.plan import FactoryPlan, boot_url

    path = os.path.abspath(folder)
    key_path = os.path.abspath(key_file or keys.default_key_file(os.geteuid(), os.environ))
    url = _server_url(server, isolated=isolated)
    machines = netboot.machine_addresses(addresses, proxy, router)
    service = NetbootService(interface, boot_url(url), machines, os.path.join(path, "tftp"))
    plan = FactoryPlan(
        folder=path,
        server=url,
        netboot=service,
        isolated=isolated,
        program=_program(),
        user=user,
        key_file=key_path,
        usual_key=key_path == keys.SYSTEM_KEY,
    )
    try:
        planned = planned_folder(plan, InitSources(tuple(file or ()), ipxe, ca_key))
    except BadInput as error:  # all of it was on the command line
        raise typer.BadParameter(str(error), param_hint="options") from error
    if not dry_run:
        key = KeyFile(key_path, path, lambda sentence: say(f"gprov server: {sentence}", err=True))
        key.fresh()
        make_folder(planned, time.time_ns())
        make_store(path, key)
    made = planned.paths()
    if as_json:
        document({"folder": path, "key_file": key_path, "made": not dry_run, "paths": made})
        return ExitCode.DONE
    for each in made:
        say(os.path.join(path, each))
    if dry_run:
        say(f"{path}: nothing was made; the key of the store would be {key_path}", err=True)
    else:
        check = own_command("gprov server check", path, "" if plan.usual_key else key_path)
        say(f"{path}: made. Next: {path}/README.md, and {check}", err=True, colour="green")
    return ExitCode.DONE


def _server_url(text: str, *, isolated: bool) -> str:
    """Without a slash at its end. Raises BadParameter."""
    try:
        url = base_url(text)
    except BadInput as error:
        raise typer.BadParameter("; ".join(each.message for each in error.problems), param_hint="'--server'") from error
    if not isolated and not url.startswith("https:"):
        raise typer.BadParameter(
            "passwords of people and tokens of units need https://, or name an isolated network with --isolated",
            param_hint="'--server'",
        )
    return url


def _program() -> str:
    """Absolute path of ``gprov``."""
    return os.path.abspath(shutil.which("gprov") or sys.argv[0])
