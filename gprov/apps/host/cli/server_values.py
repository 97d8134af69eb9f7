"""Values on the command line of ``gprov server``. Functions raise BadParameter for values that are not fit."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Annotated

import typer

from gprov.domain.factory.dnsmasq import AddressRange

_LONGEST_REASON = 500


def reason(text: str) -> str:
    """For the audit trail."""
    if not text.strip() or not text.isprintable() or len(text) > _LONGEST_REASON:
        raise typer.BadParameter(f"must be one line of 1 to {_LONGEST_REASON} characters")
    return text.strip()


Data = Annotated[str, typer.Option("--data", metavar="DIR", help="files/, documents/ and the store")]
Serial = Annotated[str, typer.Argument(metavar="SERIAL", help="of the unit")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="why, for the audit trail", parser=reason)]


def address(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError as exc:
        raise typer.BadParameter(f"no IPv4 address: {exc}") from exc


def address_range(text: str) -> AddressRange:
    """FIRST,LAST or FIRST,LAST,MASK."""
    words = text.split(",")
    if len(words) not in (2, 3):
        raise typer.BadParameter("must be FIRST,LAST or FIRST,LAST,MASK")
    first, last, *mask = map(address, words)
    if mask:
        network(f"{first}/{mask[0]}")
    return AddressRange(first, last, mask[0] if mask else None)


def network(text: str) -> IPv4Network:
    try:
        return IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError) as exc:
        raise typer.BadParameter(f"no IPv4 network: {exc}") from exc
