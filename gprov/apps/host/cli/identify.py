"""``gprov identify``: which platform is this machine?"""

from __future__ import annotations

from typing import Annotated

import typer

from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.smbios import DUMP, read_table, report_damage
from gprov.apps.host.cli.userfile import read_platforms
from gprov.domain.errors import ExitCode
from gprov.domain.platform.identify import identify


def attach(root: typer.Typer, name: str) -> None:
    root.command(name)(identify_machine)


def identify_machine(
    smbios: Annotated[str | None, typer.Option("--smbios", metavar="FILE", help=DUMP)] = None,
    platforms: Annotated[
        str | None,
        typer.Option("--platforms", metavar="FILE", help="platform table (default: the built-in virtual machines)"),
    ] = None,
    fallback: Annotated[
        str, typer.Option("--fallback", metavar="CODENAME", help="the platform if none is recognised")
    ] = "",
    as_json: Json = False,
) -> int:
    """Compare the SMBIOS table of this machine, or of a file, with a platform table (appliance.json).

    Exit status 1 if no platform fits, or more than one.
    """
    table = read_table(smbios)
    report_damage(smbios, table)
    unit = identify(table, read_platforms(platforms), fallback)
    if as_json:
        document(
            {
                "code_name": unit.platform.code_name,
                "family": unit.platform.family_name,
                "manufacturer": unit.manufacturer,
                "product": unit.product,
                "sku": unit.sku,
                "serial": unit.serial,
                "by_fallback": unit.by_fallback,
            }
        )
    else:
        how = " (by fallback)" if unit.by_fallback else ""
        say(f"{unit.platform.code_name}{how}: {unit.manufacturer} {unit.product}, SKU {unit.sku}")
        say(f"serial number {unit.serial}")
    return ExitCode.DONE
