"""``gprov server``: the factory server."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated

import typer

from gprov.apps.host.cli import server_keys as keys
from gprov.apps.host.cli import server_values as values
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document
from gprov.apps.host.cli.server_audit import audit
from gprov.apps.host.cli.server_credentials import credentials, reopen
from gprov.domain.errors import BadInput, ExitCode
from gprov.domain.factory.dnsmasq import TFTP_ROOT, AddressRange, NetbootService, dnsmasq_configuration
from gprov.domain.factory.netboot import SCRIPT

app = new_app("The factory server. Options without an action are those of run.")

_MINUTE_NS = 60 * 10**9


app.add_typer(credentials, name="credentials")
app.command("reopen")(reopen)
app.command("audit")(audit)


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("run")
def run_server(
    data: values.Data,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="0: any free one", callback=values.port)] = 8901,
    qa_hold_minutes: Annotated[
        float,
        typer.Option(
            metavar="N",
            help="a QA document waits so long for the first restore, then it is discarded",
            callback=values.minutes,
        ),
    ] = 20.0,
    credentials_minutes: Annotated[
        float,
        typer.Option(
            metavar="N",
            help="passwords are handed out so long after a unit reported MFG_STARTED",
            callback=values.minutes,
        ),
    ] = 240.0,
    boot_arguments: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help=f"further kernel arguments of provisioning, for machines that start over the network (/{SCRIPT})",
            parser=values.kernel_arguments,
        ),
    ] = "",
    issuer: Annotated[
        str, typer.Option(metavar="NAME", help="name of the issuer in erase certificates")
    ] = "gprov factory server",
    public_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help=f"how such machines reach this server (default: the address that they asked for /{SCRIPT})",
            parser=values.base_url,
        ),
    ] = None,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
) -> int:
    """Serve files to units and record what they report, below one data folder, which is made if it is missing."""
    from gprov.apps.server.container import Policy, server_container
    from gprov.apps.server.service import serve
    from gprov.apps.server.web.netboot import Netboot
    from gprov.apps.unit.composition.wiring import set_value

    policy = Policy(
        hold_ns=round(qa_hold_minutes * _MINUTE_NS), window_ns=round(credentials_minutes * _MINUTE_NS), issuer=issuer
    )
    source = keys.KeySource(key_file, passphrase, passphrase_fd)
    container = server_container(data, keys.provider(source, data), policy)
    set_value(container.netboot, Netboot(boot_arguments, public_url or ""))
    serve(container, host, port)
    return ExitCode.DONE


@app.command("key")
def key(data: values.Data, as_json: Json = False) -> int:
    """Print the public key with which erase certificates of this server are verified. The first call, or the first
    start of the server, makes the key. A server may be running meanwhile."""
    import os

    from gprov.adapters.linux.system.ed25519 import signer_at
    from gprov.apps.server.store.database import open_existing
    from gprov.apps.server.store.erasures import KEY_FILE

    with open_existing(data):  # a folder that was misspelt is not made
        pass
    public = signer_at(os.path.join(data, KEY_FILE)).public
    if as_json:
        document({"key_id": public.key_id, "pem": public.pem})
    else:
        print(public.pem, end="")
    return ExitCode.DONE


@app.command("dnsmasq")
def dnsmasq(
    interface: Annotated[str, typer.Option(metavar="NAME", help="where the machines are")],
    server: Annotated[
        str, typer.Option(metavar="URL", help="this factory server as they reach it: http://ADDRESS:PORT")
    ],
    addresses: Annotated[
        AddressRange | None,
        typer.Option(
            "--range",
            metavar="FIRST,LAST[,MASK]",
            help="addresses to give away, by the only DHCP server (or --proxy)",
            parser=values.address_range,
        ),
    ] = None,
    proxy: Annotated[
        IPv4Network | None,
        typer.Option(
            metavar="NETWORK",
            help="network in which another DHCP server gives the addresses (or --range)",
            parser=values.network,
        ),
    ] = None,
    router: Annotated[
        IPv4Address | None,
        typer.Option(metavar="ADDRESS", help="with --range: the router (default: none)", parser=values.address),
    ] = None,
    tftp: Annotated[str, typer.Option(metavar="DIR", help="folder with iPXE's programs")] = TFTP_ROOT,
) -> int:
    """Print a configuration of dnsmasq (DHCP and TFTP) with which machines start provisioning."""
    if (addresses is None) == (proxy is None):
        raise typer.BadParameter("give one of the two", param_hint="'--range' / '--proxy'")
    if addresses is None and router is not None:
        raise typer.BadParameter("belongs to --range", param_hint="'--router'")
    wanted = proxy if addresses is None else replace(addresses, router=router)
    if wanted is None:  # one of the two is given
        return ExitCode.USAGE
    try:
        text = dnsmasq_configuration(NetbootService(interface, server, wanted, tftp))
    except BadInput as error:  # all of it was on the command line
        raise typer.BadParameter(str(error), param_hint="options") from error
    print(text, end="")
    return ExitCode.DONE
