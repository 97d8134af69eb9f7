"""``gprov identify``: which platform is this machine?"""

from __future__ import annotations

import argparse
import json

from gprov.apps.host.cli.smbios import read_table, report_damage
from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.errors import ExitCode
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import identify
from gprov.domain.platform.model import Platform
from gprov.domain.platform.table import parse_platform_table

SUMMARY = "Compare the SMBIOS table of this machine, or of a file, with a platform table (appliance.json)."


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--smbios", metavar="FILE", help="a raw table, or a file made by dmidecode --dump-bin")
    parser.add_argument("--platforms", metavar="FILE", help="platform table; default: the built-in virtual machines")
    parser.add_argument("--fallback", metavar="CODENAME", default="", help="the platform if none is recognised")
    parser.add_argument("--json", action="store_true", help="the result as JSON")


def run(args: argparse.Namespace) -> int:
    """1 if no platform fits, or more than one."""
    table = read_table(args.smbios)
    report_damage(args.smbios, table)
    unit = identify(table, _platforms(args.platforms), args.fallback)
    facts = {
        "code_name": unit.platform.code_name,
        "family": unit.platform.family_name,
        "manufacturer": unit.manufacturer,
        "product": unit.product,
        "sku": unit.sku,
        "serial": unit.serial,
        "by_fallback": unit.by_fallback,
    }
    if args.json:
        print(json.dumps(facts, indent=2))
    else:
        how = " (by fallback)" if unit.by_fallback else ""
        print(f"{unit.platform.code_name}{how}: {unit.manufacturer} {unit.product}, SKU {unit.sku}")
        print(f"serial number {unit.serial}")
    return ExitCode.DONE


def _platforms(path: str | None) -> tuple[Platform, ...]:
    return default_table() if path is None else parse_platform_table(path, read_user_file(path))
