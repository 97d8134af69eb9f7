"""Making a backup while servers go on: one consistent view of the tables, and the files that belong to them."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

from sqlalchemy import Connection, select

from gprov.apps.server.store.backup_format import (
    FOLDERS,
    MANIFEST,
    TABLE_MEMBERS,
    Manifest,
    Member,
    digest_of,
    manifest_text,
    row_lines,
)
from gprov.apps.server.store.database import open_existing
from gprov.apps.server.store.erasures import KEY_FILE
from gprov.apps.server.store.schema import VERSION
from gprov.domain.errors import BadInput, DeviceFault, Problem

_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Backup:
    """Of the file: size in bytes, and digest."""

    size: int
    sha256: str
    manifest: Manifest


def back_up(folder: str, database_url: str, path: str, now_ns: int) -> Backup:
    """Write the file ``path``, mode 0600, whole or not at all. Raises BadInput (it exists), DeviceMissing (there is no
    store), DeviceFault."""
    if os.path.lexists(path):
        raise BadInput(path, [Problem("", "exists: a backup replaces no file")])
    with open_existing(folder, database_url) as db, _new_file(path) as file:
        with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
            members = dict(_add_all(archive, db, folder, os.path.dirname(file.name)))
            manifest = Manifest(schema=VERSION, made_ns=now_ns, members=members)
            text = manifest_text(manifest)
            _add(archive, MANIFEST, len(text), io.BytesIO(text))
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        return Backup(os.fstat(file.fileno()).st_size, digest_of(file), manifest)


def _add_all(archive: tarfile.TarFile, db: Connection, folder: str, spool: str) -> Iterator[tuple[str, Member]]:
    """``spool``: folder with room for the rows of a table."""
    for name, table in TABLE_MEMBERS.items():
        rows = db.execute(select(table), execution_options={"yield_per": _ROWS})
        with tempfile.TemporaryFile(dir=spool) as lines:
            lines.writelines(row_lines(table, rows))
            yield name, _add_hashed(archive, name, lines)
    # After the tables: what they name is there by then.
    for name in _files(folder):
        try:
            with open(os.path.join(folder, name), "rb") as content:
                yield name, _add_hashed(archive, name, content)
        except FileNotFoundError:
            continue  # the factory has taken it meanwhile


def _files(folder: str) -> Iterator[str]:
    yield KEY_FILE
    for name in FOLDERS:
        path = os.path.join(folder, name)
        for entry in sorted(os.listdir(path)) if os.path.isdir(path) else ():
            if os.path.isfile(os.path.join(path, entry)) and not os.path.islink(os.path.join(path, entry)):
                yield f"{name}/{entry}"


def _add_hashed(archive: tarfile.TarFile, name: str, content: IO[bytes]) -> Member:
    content.seek(0)
    digest = digest_of(content)
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    _add(archive, name, size, content)
    return Member(size, digest)


def _add(archive: tarfile.TarFile, name: str, size: int, content: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, content)


@contextmanager
def _new_file(path: str) -> Iterator[IO[bytes]]:
    """Under another name until it is complete."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        with ExitStack() as stack:
            file = stack.enter_context(tempfile.NamedTemporaryFile(dir=folder, prefix=".backup-", delete=False))
            stack.callback(os.unlink, file.name)
            yield file
            os.link(file.name, path)
            _flush(folder)
    except OSError as exc:
        raise DeviceFault(exc.filename or path, f"cannot be written: {exc.strerror}", errno=exc.errno) from exc


def _flush(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
