"""``gprov smbios``: what the firmware says the machine is."""

from __future__ import annotations

import argparse
import json
import sys

from gprov.adapters.linux.dmi.smbios import LinuxSmbios
from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.errors import ExitCode
from gprov.domain.formats.json.value import Json
from gprov.domain.formats.smbios.fields import fields
from gprov.domain.formats.smbios.keywords import keywords
from gprov.domain.formats.smbios.table import SmbiosTable, Structure, parse_table

SUMMARY = "Decode the SMBIOS table of this machine, or of a file, in the words of dmidecode."


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", metavar="FILE", help="a raw table, or a file made by dmidecode --dump-bin")
    parser.add_argument("--json", action="store_true", help="keywords and structures as JSON")


def run(args: argparse.Namespace) -> int:
    """0 if the table is sound, 1 if it is damaged (what stands before the damage is shown all the same)."""
    table = read_table(args.file)
    print(json.dumps(_document(table), indent=2) if args.json else _text(table))
    report_damage(args.file, table)
    return ExitCode.NEGATIVE if table.problems else ExitCode.DONE


def read_table(path: str | None) -> SmbiosTable:
    """Of a file, or of this machine."""
    if path is None:
        return parse_table(LinuxSmbios().structures())
    return parse_table(read_user_file(path), path)


def report_damage(path: str | None, table: SmbiosTable) -> None:
    for problem in table.problems:
        print(f"gprov: {path or 'SMBIOS table'}: {problem}", file=sys.stderr)


def _document(table: SmbiosTable) -> Json:
    """A keyword with several values has one per line; one of which the table tells nothing is empty."""
    return {
        "version": ".".join(map(str, table.version)),
        "keywords": {name: "\n".join(values) for name, values in keywords(table).items()},
        "structures": [_structure(structure, table.version) for structure in table.structures],
    }


def _structure(structure: Structure, version: tuple[int, int]) -> Json:
    return {
        "handle": structure.handle,
        "type": structure.type,
        "length": structure.length,
        "formatted": structure.formatted.hex(),
        "strings": structure.strings,
        "fields": fields(structure, version),
    }


def _text(table: SmbiosTable) -> str:
    lines = [f"{name}: {value}" for name, values in keywords(table).items() for value in values]
    for structure in table.structures:
        lines += ["", f"Handle 0x{structure.handle:04X}, type {structure.type}, {structure.length} bytes"]
        told = fields(structure, table.version)
        lines += [f"\t{label}: {value}" for label, value in told.items()]
        if not told:
            lines += [f"\t{text}" for text in structure.strings]
    return "\n".join(lines)
