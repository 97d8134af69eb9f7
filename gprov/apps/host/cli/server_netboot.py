"""``gprov server dnsmasq``, and the options about the network of the machines."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated

import typer

from gprov.apps.host.cli import server_values as values
from gprov.domain.errors import BadInput, ExitCode
from gprov.domain.factory.dnsmasq import TFTP_ROOT, AddressRange, NetbootService, dnsmasq_configuration

Interface = Annotated[str, typer.Option("--interface", metavar="NAME", help="where the machines are")]
Server = Annotated[
    str, typer.Option("--server", metavar="URL", help="this factory server as they reach it: http(s)://ADDRESS:PORT")
]
Range = Annotated[
    AddressRange | None,
    typer.Option(
        "--range",
        metavar="FIRST,LAST[,MASK]",
        help="addresses to give away, by the only DHCP server (or --proxy)",
        parser=values.address_range,
    ),
]
Proxy = Annotated[
    IPv4Network | None,
    typer.Option(
        "--proxy",
        metavar="NETWORK",
        help="network in which another DHCP server gives the addresses (or --range)",
        parser=values.network,
    ),
]
Router = Annotated[
    IPv4Address | None,
    typer.Option("--router", metavar="ADDRESS", help="with --range: the router (default: none)", parser=values.address),
]


def dnsmasq(
    interface: Interface,
    server: Server,
    addresses: Range = None,
    proxy: Proxy = None,
    router: Router = None,
    tftp: Annotated[str, typer.Option(metavar="DIR", help="folder with iPXE's programs")] = TFTP_ROOT,
) -> int:
    """Print a configuration of dnsmasq (DHCP and TFTP) with which machines start provisioning."""
    service = NetbootService(interface, server, machine_addresses(addresses, proxy, router), tftp)
    try:
        text = dnsmasq_configuration(service)
    except BadInput as error:  # all of it was on the command line
        raise typer.BadParameter(str(error), param_hint="options") from error
    print(text, end="")
    return ExitCode.DONE


def machine_addresses(
    addresses: AddressRange | None, proxy: IPv4Network | None, router: IPv4Address | None
) -> AddressRange | IPv4Network:
    """Raises BadParameter for options that do not go together."""
    if addresses is not None and proxy is None:
        return replace(addresses, router=router)
    if proxy is None or addresses is not None:
        raise typer.BadParameter("give one of the two", param_hint="'--range' / '--proxy'")
    if router is not None:
        raise typer.BadParameter("belongs to --range", param_hint="'--router'")
    return proxy
