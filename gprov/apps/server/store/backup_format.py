"""The file of a backup: a tar archive (gzip) of the rows of all tables and of the files that belong to them.

``tables/NAME.jsonl``: a line with the names of the columns, then one with the values of each row; bytes are base64.
``documents/``, ``certificates/``, ``store/erase-key.pem``: files of the data folder. ``manifest.json``, the last
member: version of the format and of the tables, time, and size and SHA-256 of each other member. It does not depend on
the database: a backup of SQLite can be restored to PostgreSQL and the other way round.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from sqlalchemy import Column, LargeBinary, Table

from gprov.apps.server.store.erasures import KEY_FILE
from gprov.apps.server.store.tables import TABLES, signed_in
from gprov.domain.errors import BadInput, IntegrityFault, Problem
from gprov.domain.formats.json.reading import finish, read_object

FORMAT = 1
_PIECE = 1 << 20
MANIFEST = "manifest.json"
PRIVATE, PUBLIC = FOLDERS = "documents", "certificates"


@dataclass(frozen=True, slots=True)
class Member:
    """``size`` in bytes."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """``schema``: version of the tables; ``made_ns``: UTC; ``members``: by name."""

    schema: int
    made_ns: int
    members: Mapping[str, Member]


def table_member(table: Table) -> str:
    return f"tables/{table.name}.jsonl"


# People sign in again: a session that was ended after the backup would be valid again.
TABLE_MEMBERS = {table_member(table): table for table in TABLES.sorted_tables if table is not signed_in}


def is_file_member(name: str) -> bool:
    """Whether it is a file of the data folder, with a name that stays inside it."""
    folder, _, file = name.partition("/")
    return name == KEY_FILE or (folder in FOLDERS and file not in ("", ".", "..") and not set(file) & {"/", "\0"})


def manifest_text(manifest: Manifest) -> bytes:
    members = {name: {"size": member.size, "sha256": member.sha256} for name, member in manifest.members.items()}
    document = {"format": FORMAT, "schema": manifest.schema, "made_ns": manifest.made_ns, "members": members}
    return json.dumps(document, indent=1).encode()


def parse_manifest(source: str, data: bytes) -> Manifest:
    """Raises BadInput."""
    root = read_object(source, data)
    if root.integer("format", required=True) != FORMAT and not root.problems:
        root.problem("format", f"is of another gprov: this one reads {FORMAT}")
    members = {}
    listed = root.object("members", required=True)
    for name in listed.all_keys() if listed else ():
        one = listed.object(name, required=True) if listed else None
        if one is not None:
            members[name] = Member(one.integer("size", required=True, minimum=0), one.text("sha256", required=True))
    schema, made_ns = root.integer("schema", required=True), root.integer("made_ns", required=True)
    return finish(source, root, Manifest(schema=schema, made_ns=made_ns, members=members))


def row_lines(table: Table, rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    yield _line([column.name for column in table.columns])
    binary = _binary(table.columns)
    for row in rows:
        values = list(row)
        for index in binary:
            values[index] = base64.b64encode(values[index]).decode()
        yield _line(values)


def read_rows(table: Table, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Raises BadInput, IntegrityFault."""
    waiting = iter(lines)
    try:
        names = json.loads(next(waiting, b"[]"))
        known = {column.name for column in table.columns}
        if not isinstance(names, list) or set(names) != known or len(names) != len(known):
            raise BadInput(
                table_member(table), [Problem("line 1", f"must have the columns {', '.join(sorted(known))}")]
            )
        binary = _binary([table.columns[name] for name in names])
        for line in waiting:
            values = json.loads(line)
            for index in binary:
                values[index] = base64.b64decode(values[index], validate=True)
            yield dict(zip(names, values, strict=True))
    except (ValueError, TypeError, IndexError, KeyError, binascii.Error) as exc:
        raise IntegrityFault(table_member(table), "is not as a backup writes it") from exc


def digest_of(content: IO[bytes]) -> str:
    """SHA-256 in hex of all that is left to read."""
    digest = hashlib.sha256()
    while piece := content.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _line(values: Sequence[Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


def _binary(columns: Iterable[Column[Any]]) -> list[int]:
    return [index for index, column in enumerate(columns) if isinstance(column.type, LargeBinary)]
