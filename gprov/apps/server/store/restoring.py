"""Restoring a backup to a new store. All of it is verified before anything is changed; the rows, whose presence makes
the store one that is in use, are the last step and one transaction."""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO

from sqlalchemy import Connection, Table, func, insert, select, text

from gprov.apps.server.store.backup_format import (
    MANIFEST,
    PRIVATE,
    PUBLIC,
    TABLE_MEMBERS,
    Manifest,
    Member,
    digest_of,
    is_file_member,
    parse_manifest,
    read_rows,
)
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.presence import sole_server
from gprov.apps.server.store.schema import VERSION
from gprov.apps.server.store.tables import TABLES, store_version
from gprov.domain.errors import DeviceFault, IntegrityFault, RefusedByPolicy
from gprov.domain.formats.owner import Owner
from gprov.ports.files import Files

_ROWS = 1000
_PIECE = 1 << 20
# A file of documents/ or certificates/; a manifest.
_MOST = 64 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """How many rows and files."""

    rows: int
    files: int


def restore(path: str, folder: str, database_url: str, files: Files) -> Restored:
    """``folder``: the data folder; ``database_url``: as in its settings. Raises IntegrityFault (the backup is damaged),
    RefusedByPolicy (the store is not empty, or the backup of a newer gprov), BadInput, DeviceFault."""
    verify(path)
    with (
        _translated(path),
        sole_server(folder, database_url),
        closing(Database(folder, database_url)) as database,
    ):
        with database.read() as db:
            _require_empty(db, database.name)
        _require_no_other(path, folder, files)
        count = _write_files(path, folder, files)
        with database.write() as db:
            _require_empty(db, database.name)
            rows = sum(_fill(db, TABLE_MEMBERS[name], lines) for name, lines in _tables(path))
    return Restored(rows, count)


def verify(path: str) -> Manifest:
    """The manifest of a backup that is complete and undamaged. Raises IntegrityFault, RefusedByPolicy, BadInput,
    DeviceFault."""
    with _translated(path):
        found, text_of_manifest = _inventory(path)
    manifest = parse_manifest(f"{path}: {MANIFEST}", text_of_manifest)
    if manifest.schema != VERSION:
        raise RefusedByPolicy(f"{path}: is of another gprov (tables of version {manifest.schema}, not {VERSION})")
    for name in sorted({*found, *manifest.members, *TABLE_MEMBERS}):
        if found.get(name) is None or found.get(name) != manifest.members.get(name):
            raise IntegrityFault(path, f"{name} is missing or damaged")
    return manifest


def _inventory(path: str) -> tuple[dict[str, Member], bytes]:
    """The members as they are, and the content of the manifest. Raises IntegrityFault."""
    found: dict[str, Member] = {}
    text_of_manifest: bytes | None = None
    for name, size, content in _members(path):
        if text_of_manifest is not None or name in found:
            raise IntegrityFault(path, f"has {name[:80]!r} where a backup has nothing more")
        if name == MANIFEST:
            text_of_manifest = content.read(_MOST)
        elif name in TABLE_MEMBERS or is_file_member(name):
            found[name] = Member(size, digest_of(content))
        else:
            raise IntegrityFault(path, f"has {name[:80]!r}, which is no part of a backup")
    if text_of_manifest is None:
        raise IntegrityFault(path, "is not a whole backup: its last part is missing")
    return found, text_of_manifest


def _require_empty(db: Connection, name: str) -> None:
    for table in TABLES.sorted_tables:
        if table is not store_version and db.execute(select(table).limit(1)).first() is not None:
            raise RefusedByPolicy(
                f"{name}: the store is in use (its table {table.name} has rows): nothing is restored. Restore into a"
                " folder without store/, or an empty database"
            )


def _require_no_other(path: str, folder: str, files: Files) -> None:
    """Raises RefusedByPolicy if a file would be replaced by another one."""
    for name, size, content in _members(path):
        target = os.path.join(folder, name)
        present = is_file_member(name) and files.status(target) is not None
        if present and files.read(target, _MOST) != content.read(size):
            raise RefusedByPolicy(f"{target}: is there with another content: nothing is restored")


def _write_files(path: str, folder: str, files: Files) -> int:
    owner = Owner(os.geteuid(), os.getegid())
    count = 0
    files.make_folder(os.path.join(folder, PRIVATE), mode=0o700, owner=owner)
    for name, size, content in _members(path):
        if is_file_member(name):
            mode = 0o644 if name.startswith(f"{PUBLIC}/") else 0o600
            files.replace(os.path.join(folder, name), content.read(size), mode=mode, owner=owner)
            count += 1
    return count


def _tables(path: str) -> Iterator[tuple[str, IO[bytes]]]:
    return ((name, content) for name, _, content in _members(path) if name in TABLE_MEMBERS)


def _fill(db: Connection, table: Table, lines: IO[bytes]) -> int:
    if table is store_version:
        return 0
    rows = read_rows(table, lines)
    count = 0
    while several := list(islice(rows, _ROWS)):
        db.execute(insert(table), several)
        count += len(several)
    if count and db.dialect.name == "postgresql" and table.autoincrement_column is not None:
        most = select(func.max(table.autoincrement_column)).scalar_subquery()
        db.execute(select(func.setval(text(f"'{table.name}_{table.autoincrement_column.name}_seq'"), most)))
    return count


def _members(path: str) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Name, size and content of each, in order. Within ``_translated``."""
    with gzip.open(path) as plain:
        with tarfile.open(fileobj=plain, mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    raise IntegrityFault(path, f"{member.name[:80]!r} is no file")
                yield member.name, member.size, content
        while plain.read(_PIECE):  # the checksum of the whole file is at its end
            pass


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error) as exc:
        raise IntegrityFault(path, f"is not a whole backup: {exc}") from exc
    except OSError as exc:
        if isinstance(exc.errno, int):
            raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc
        raise IntegrityFault(path, f"is damaged: {exc}") from exc
