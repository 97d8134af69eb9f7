"""``gprov smbios``: what the firmware says the machine is."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Annotated

import typer

from gprov.adapters.linux.dmi.smbios import LinuxSmbios
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.errors import ExitCode
from gprov.domain.formats.json.value import Json as JsonValue
from gprov.domain.formats.smbios.dmidecode_fields import fields
from gprov.domain.formats.smbios.dmidecode_keywords import keywords
from gprov.domain.formats.smbios.table import SmbiosTable, Structure, parse_table

DUMP = "a raw table, also in base64, or a file made by dmidecode --dump-bin (default: this machine's table)"


def attach(root: typer.Typer, name: str) -> None:
    root.command(name)(smbios)


def smbios(
    file: Annotated[str | None, typer.Option("--file", metavar="FILE", help=DUMP)] = None, as_json: Json = False
) -> int:
    """Decode the SMBIOS table of this machine, or of a file, in the words of dmidecode.

    Exit status 1 if the table is damaged; what stands before the damage is shown.
    """
    table = read_table(file)
    if as_json:
        document(_document(table))
    else:
        for line in _lines(table):
            say(line)
    report_damage(file, table)
    return ExitCode.NEGATIVE if table.problems else ExitCode.DONE


def read_table(path: str | None) -> SmbiosTable:
    """Of a file, or of this machine."""
    if path is None:
        return parse_table(LinuxSmbios().structures())
    return parse_table(_decoded(read_user_file(path)), path)


def _decoded(content: bytes) -> bytes:
    """Units report their table in base64; a table itself has a byte 0 in each structure."""
    text = b"".join(content.split())
    try:
        return base64.b64decode(text, validate=True) if text else content
    except ValueError:
        return content


def report_damage(path: str | None, table: SmbiosTable) -> None:
    for problem in table.problems:
        say(f"gprov: {path or 'SMBIOS table'}: {problem}", err=True, colour="yellow")


def _document(table: SmbiosTable) -> JsonValue:
    """A keyword with several values has one per line; it is empty if the table has no value for it."""
    return {
        "version": ".".join(map(str, table.version)),
        "keywords": {name: "\n".join(values) for name, values in keywords(table).items()},
        "structures": [_structure(structure, table.version) for structure in table.structures],
    }


def _structure(structure: Structure, version: tuple[int, int]) -> JsonValue:
    return {
        "handle": structure.handle,
        "type": structure.type,
        "length": structure.length,
        "formatted": structure.formatted.hex(),
        "strings": structure.strings,
        "fields": fields(structure, version),
    }


def _lines(table: SmbiosTable) -> Iterator[str]:
    for name, values in keywords(table).items():
        yield from (f"{name}: {value}" for value in values)
    for structure in table.structures:
        yield ""
        yield f"Handle 0x{structure.handle:04X}, type {structure.type}, {structure.length} bytes"
        decoded = fields(structure, table.version)
        yield from (f"\t{label}: {value}" for label, value in decoded.items())
        if not decoded:
            yield from (f"\t{text}" for text in structure.strings)
