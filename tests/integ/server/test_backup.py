"""Backups of a store that is in use, and their restoring to either database. Oracles: the drivers of the databases, tar
and sha256sum."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import random
import sqlite3
import stat
import subprocess
import tarfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert

from gprov.adapters.linux.files.files import LinuxFiles
from gprov.apps.server.store.backup import back_up
from gprov.apps.server.store.database import store_path
from gprov.apps.server.store.erasures import KEY_FILE
from gprov.apps.server.store.presence import serving
from gprov.apps.server.store.restoring import restore, verify
from gprov.apps.server.store.tables import TABLES, accounts, signed_in
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, GprovError, IntegrityFault, RefusedByPolicy
from gprov.domain.events import Event, LogLine
from gprov.domain.events import ProcessState as S
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.requests import ErasureRegistration
from tests.integ.server.test_erase_certificates import report
from tests.integ.server.test_server_store import OPERATOR, START, Server, Unit, provision

Row = tuple[object, ...]


def rows(server: Server) -> dict[str, list[Row]]:
    """Of all tables, read by the driver; flags as numbers."""
    found = {}
    for table in TABLES.tables.values():
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        order = ", ".join(f'"{column.name}"' for column in table.primary_key.columns) or columns
        query = f"SELECT {columns} FROM {table.name} ORDER BY {order}"
        if server.database_url:
            with psycopg.connect(server.database_url) as db:
                read: list[Row] = db.execute(query.encode()).fetchall()
        else:
            with closing(sqlite3.connect(store_path(str(server.folder)))) as other:
                read = other.execute(query).fetchall()
        found[table.name] = [tuple(int(value) if isinstance(value, bool) else value for value in row) for row in read]
    return found


def fill(server: Server) -> None:
    """Something of everything."""
    unit = Unit(server, "1")
    unit.state(S.MFG_STARTED)
    unit.log(*(Event(number, 2**63 - 1, LogLine(f'line {number} ☃ \\ "')) for number in range(1, 1200)))
    unit.credentials()
    unit.document("{}", "hardware.json", DocumentKind.HARDWARE)
    provision(Unit(server, "2"))
    Unit(server, "2", boot=2).state(S.FR_SUCCEEDED)
    server.services.released.write_due()
    server.admin.reopen("2", OPERATOR)
    server.container.erasures().register(ErasureRegistration(unit.sender, report("1").decode()))
    server.container.erasures().write_due()
    with server.database.write() as db:
        db.execute(insert(accounts).values(name="anna", role="view", password="x", made_ns=1, seen_ns=1))
        db.execute(insert(signed_in).values(digest="0" * 64, account="anna", began_ns=1, seen_ns=1))


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    opened = Server(tmp_path / "data", database_url=database_url)
    fill(opened)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else request.getfixturevalue("postgresql").new_database()


def made(server: Server, name: str = "backup") -> Path:
    path = server.folder.parent / name
    back_up(str(server.folder), server.database_url, str(path), START)
    return path


def put_back(path: Path, folder: Path, url: str) -> Server:
    restore(str(path), str(folder), url, LinuxFiles())
    return Server(folder, database_url=url)


def test_a_round_trip_to_either_database(server: Server, other_url: str, tmp_path: Path) -> None:
    path = made(server)
    before = rows(server)
    restored = tmp_path / "restored"
    done = restore(str(path), str(restored), other_url, LinuxFiles())
    again = replace(server, folder=restored, database_url=other_url)
    assert rows(again) == {**before, "signed_in": []}
    assert done.rows == sum(len(found) for name, found in before.items() if name not in ("store_version", "signed_in"))
    for name in ("documents/2~qa.json", "certificates/erasure-00000001.json", KEY_FILE):
        assert (restored / name).read_bytes() == (server.folder / name).read_bytes()
        assert stat.S_IMODE((restored / name).stat().st_mode) == (0o644 if "cert" in name else 0o600)
    assert stat.S_IMODE((restored / "documents").stat().st_mode) == 0o700
    # It goes on: new rows, the chains of audit and certificates, the same passwords.
    assert Unit(again, "1").credentials() == Unit(server, "1").credentials()
    again.admin.reveal("1", OPERATOR)
    with again.database.read() as db:
        assert again.trail.problems(db) == ()
    Unit(again, "3").state(S.MFG_STARTED)
    register = ErasureRegistration(Unit(again, "3").sender, report("3").decode())
    chain = json.loads(again.container.erasures().register(register).certificate)["chain"]
    first = (restored / "certificates" / "erasure-00000001.json").read_bytes()
    assert chain == {"sequence": 2, "previous": hashlib.sha256(first).hexdigest()}


def test_the_file(server: Server) -> None:
    path = server.folder.parent / "backup"
    backup = back_up(str(server.folder), server.database_url, str(path), START)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    listed = subprocess.run(["tar", "-tzf", path], check=True, capture_output=True, text=True).stdout.split()
    assert listed[-1] == "manifest.json"
    assert {"tables/audit.jsonl", "documents/2~qa.json", KEY_FILE} <= set(listed)
    summed = subprocess.run(["sha256sum", path], check=True, capture_output=True, text=True).stdout.split()[0]
    assert (backup.sha256, backup.size) == (summed, path.stat().st_size)
    with pytest.raises(BadInput, match="a backup replaces no file"):
        made(server)
    assert [name for name in os.listdir(path.parent) if name.startswith(".backup")] == []


def test_a_backup_is_consistent_while_a_server_writes(server: Server) -> None:
    unit, stop = Unit(server, "busy"), threading.Event()
    unit.log(*(Event(number, 1, LogLine("x")) for number in range(1, 8)))

    def report_on() -> None:
        number = 7
        while not stop.is_set():
            unit.log(*(Event(number + each, 1, LogLine("x")) for each in range(1, 8)))
            number += 7

    thread = threading.Thread(target=report_on)
    thread.start()
    try:
        path = made(server)
    finally:
        stop.set()
        thread.join()
    with put_back_at(path) as restored:
        events = restored.services.queries.events("busy", 0, 100_000)
        assert events is not None
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert len(events) % 7 == 0


def put_back_at(path: Path) -> closing[Server]:
    return closing(put_back(path, path.parent / "restored", ""))


def test_a_store_that_is_in_use_is_not_touched(server: Server, tmp_path: Path) -> None:
    path = made(server)
    before = rows(server)
    with pytest.raises(RefusedByPolicy, match="the store is in use"):
        put_back(path, server.folder, server.database_url)
    assert rows(server) == before
    other = tmp_path / "other"
    (other / "documents").mkdir(parents=True)
    (other / "documents" / "2~qa.json").write_text("another")
    with pytest.raises(RefusedByPolicy, match="with another content"):
        put_back(path, other, "")
    assert (other / "documents" / "2~qa.json").read_text() == "another"
    assert not (other / KEY_FILE).exists()
    (other / "documents" / "2~qa.json").unlink()
    with serving(str(other)), pytest.raises(DeviceFault, match="in use by another server"):
        put_back(path, other, "")
    put_back(path, other, "").close()
    with pytest.raises(DeviceMissing, match="no store"):
        back_up(str(tmp_path / "misspelt"), "", str(tmp_path / "none"), START)
    assert not (tmp_path / "none").exists()


@pytest.fixture
def backup(tmp_path: Path) -> Iterator[Path]:
    with closing(Server(tmp_path / "data")) as server:
        fill(server)
        yield made(server)


def refused(path: Path) -> GprovError:
    folder = path.parent / "restored"
    with pytest.raises((IntegrityFault, BadInput, RefusedByPolicy)) as caught:
        restore(str(path), str(folder), "", LinuxFiles())
    assert not folder.exists()
    return caught.value


def test_any_damage_is_found_before_anything_is_changed(backup: Path) -> None:
    """A bit may change that means nothing: of the name in the header, or of the end of the compressed data."""
    whole, random_ = backup.read_bytes(), random.Random(1)
    content, found = gzip.decompress(whole), 0
    for _ in range(60):
        at = random_.randrange(10, len(whole))
        backup.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << random_.randrange(8)]) + whole[at + 1 :])
        if _decompressed(backup) == content:
            verify(str(backup))
        else:
            refused(backup)
            found += 1
    assert found > 50


def _decompressed(path: Path) -> bytes | None:
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        return None


def rewritten(path: Path, change: dict[str, bytes | None]) -> None:
    """The archive with members replaced, added, or left out (None), as someone else would make it."""
    content = io.BytesIO()
    with tarfile.open(path) as before, tarfile.open(fileobj=content, mode="w") as after:
        files = {member.name: before.extractfile(member) for member in before}
        contents = {name: file.read() for name, file in files.items() if file}
        for name, data in {**contents, **change}.items():
            if data is not None:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                after.addfile(member, io.BytesIO(data))
    path.write_bytes(gzip.compress(content.getvalue()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tables/audit.jsonl": b"[]\n"}, "tables/audit.jsonl is missing or damaged"),
        ({"tables/units.jsonl": None}, "tables/units.jsonl is missing"),
        ({"../../escaped": b"x"}, "where a backup has nothing more"),
        ({"manifest.json": None}, "its last part is missing"),
        ({"manifest.json": b"{}"}, "is missing"),
    ],
)
def test_what_is_no_backup(backup: Path, change: dict[str, bytes | None], message: str) -> None:
    rewritten(backup, change)
    assert message in str(refused(backup))


@pytest.mark.parametrize("name", ["../escaped", "documents/../../escaped", "files/x", "/etc/x", "documents/.."])
def test_names_cannot_leave_the_folder(backup: Path, name: str) -> None:
    with tarfile.open(backup) as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        text = manifest.read()
    rewritten(backup, {"manifest.json": None, name: b"x"})
    rewritten(backup, {"manifest.json": text})
    assert "is no part of a backup" in str(refused(backup))


def test_a_backup_of_another_version(backup: Path) -> None:
    with tarfile.open(backup) as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        text = json.load(manifest)
    for key, number in (("schema", 99), ("format", 2)):
        rewritten(backup, {"manifest.json": json.dumps({**text, key: number}).encode()})
        assert "of another gprov" in str(refused(backup))
