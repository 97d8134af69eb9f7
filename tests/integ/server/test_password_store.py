"""Passwords at rest: encryption, tampering, rotation, audit. Oracles: sqlite3, psycopg, and the raw files."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from typing_extensions import override

from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.adapters.linux.keys.key_file import KeyFile
from gprov.adapters.linux.keys.passphrase import Passphrase
from gprov.apps.server.composition.secrets import POLICY_FILE
from gprov.apps.server.container import server_container
from gprov.apps.server.secrets.audit_trail import entries, last_mark
from gprov.apps.server.secrets.credentials import CredentialsRefused
from gprov.apps.server.secrets.giving_up import give_up_key
from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.store.database import Database, open_existing, store_path
from gprov.apps.server.store.presence import serving
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, IntegrityFault, RefusedByPolicy
from gprov.domain.events import ProcessState as S
from gprov.domain.factory.audit import Mark
from gprov.domain.factory.password_rule import PasswordKind
from gprov.domain.factory.requests import CodeNameReport, CredentialRequest, StateReport
from gprov.domain.unit.credentials import Secret
from gprov.ports.secretbox import KeyProvider, SecretBox
from tests.integ.server.test_server_process import holders
from tests.integ.server.test_server_store import MINUTE, OPERATOR, START, Server, Unit, provision

OS, BIOS, IPMI = PasswordKind.OS, PasswordKind.BIOS, PasswordKind.IPMI


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    opened = Server(tmp_path / "data", database_url=database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_server(tmp_path: Path) -> Iterator[Server]:
    """For tests of its files, and of values that PostgreSQL does not take."""
    opened = Server(tmp_path / "data")
    yield opened
    opened.close()


def started(server: Server, serial: str, boot: int = 1) -> Unit:
    unit = Unit(server, serial, boot)
    unit.state(S.MFG_STARTED)
    return unit


def rows(server: Server, query: str, *values: object) -> list[tuple[object, ...]]:
    if server.database_url:
        with psycopg.connect(server.database_url) as other:
            return other.execute(query.replace("?", "%s").encode(), values).fetchall()
    with closing(sqlite3.connect(store_path(str(server.folder)))) as db:
        return db.execute(query, values).fetchall()


def tamper(server: Server, statement: str, *values: object) -> None:
    """As someone who can write the file, or is the owner of the database."""
    if server.database_url:
        with psycopg.connect(server.database_url) as other:
            other.execute("DROP TRIGGER IF EXISTS audit_is_not_changed ON audit")
            other.execute(statement.replace("?", "%s").encode(), values)
        return
    with closing(sqlite3.connect(store_path(str(server.folder)))) as db:
        db.execute("DROP TRIGGER IF EXISTS audit_is_not_changed")
        db.execute("DROP TRIGGER IF EXISTS audit_is_not_shortened")
        db.execute(statement, values)
        db.commit()


def trail(server: Server) -> list[tuple[str, str, str, str, str]]:
    with server.database.read() as db:
        return [
            (entry.action.value, entry.serial, entry.actor.who, entry.actor.reason, entry.detail)
            for entry in entries(db)
        ]


def problems(server: Server, noted: Mark | None = None) -> list[str]:
    with server.database.read() as db:
        return [str(problem) for problem in server.trail.problems(db, noted)]


def mark(server: Server) -> Mark:
    with server.database.read() as db:
        return last_mark(db)


def test_no_file_of_the_store_holds_a_password_or_the_name_of_a_session(sqlite_server: Server) -> None:
    server = sqlite_server
    secrets = [*started(server, "1").credentials(), *started(server, "2").credentials()]
    server.admin.rotate("1", [OS], OPERATOR)
    secrets += started(server, "1", 2).credentials()
    sessions = [f"{number:032x}" for number in (1, 2)]
    assert len(set(secrets)) == 7
    assert holders(server.folder, [*secrets, *sessions]) == set()
    assert (server.folder / "store" / "factory.sqlite-wal").stat().st_size > 0
    server.database.close()
    assert holders(server.folder, [*secrets, *sessions]) == set()


def exchange(server: Server, first: tuple[int, str], second: tuple[int, str]) -> None:
    """The ciphertexts of two passwords, each given by unit and kind."""
    where = "unit = ? AND kind = ?"
    ((one,),) = rows(server, f"SELECT ciphertext FROM passwords WHERE {where}", *first)
    ((other,),) = rows(server, f"SELECT ciphertext FROM passwords WHERE {where}", *second)
    tamper(server, f"UPDATE passwords SET ciphertext = ? WHERE {where}", one, *second)
    tamper(server, f"UPDATE passwords SET ciphertext = ? WHERE {where}", other, *first)


def test_an_exchanged_row_is_refused_and_recorded(server: Server) -> None:
    first, second = started(server, "1"), started(server, "2")
    passwords = first.credentials(), second.credentials()
    for places in (((1, "ipmi"), (2, "ipmi")), ((1, "os"), (1, "bios"))):
        exchange(server, *places)
        with pytest.raises(IntegrityFault, match="was changed, belongs elsewhere"):
            first.credentials()
        with pytest.raises(IntegrityFault):
            server.admin.reveal("1", OPERATOR)
        exchange(server, *places)
        assert (first.credentials(), second.credentials()) == passwords
    tamper(server, "UPDATE units SET serial = 'x' WHERE serial = '1'")
    tamper(server, "UPDATE units SET serial = '1' WHERE serial = '2'")  # its passwords for the machine with serial 1
    with pytest.raises(IntegrityFault):
        started(server, "1", 2).credentials()
    refused = [entry[2:] for entry in trail(server) if entry[0] == "refused"]
    changed = "the stored secret: was changed, belongs elsewhere, or has another key"
    assert refused == [("unit at 10.0.2.15", "", changed)] * 3
    assert server.notes("x")[-1].startswith("credentials handed out")
    assert server.notes("1")[-1] == f"credentials refused to 10.0.2.15: {changed}"
    assert problems(server) == []


def test_a_version_does_not_pass_for_another(server: Server) -> None:
    old = started(server, "1").credentials()
    server.admin.rotate("1", [OS, BIOS, IPMI], OPERATOR)
    new = started(server, "1", 2).credentials()
    assert not set(old) & set(new)
    tamper(server, "DELETE FROM passwords WHERE version = 2")
    tamper(server, "UPDATE passwords SET version = 2")
    with pytest.raises(IntegrityFault):
        started(server, "1", 3).credentials()


def test_rotation_gives_the_next_provisioning_fresh_ones_and_keeps_the_others(server: Server) -> None:
    unit = started(server, "1")
    first = unit.credentials()
    server.later(1)
    server.admin.rotate("1", [IPMI], OPERATOR)
    detail = server.services.queries.unit("1")
    assert detail is not None
    assert detail.credentials.rotating == "ipmi"
    assert unit.credentials() == first  # it may have set them already
    again = started(server, "1", 2)
    second = again.credentials()
    assert (second[:2], second[2] != first[2]) == (first[:2], True)
    assert again.credentials() == started(server, "1", 3).credentials() == second
    detail = server.services.queries.unit("1")
    assert detail is not None
    assert detail.credentials.rotating == ""
    known = server.admin.reveal("1", OPERATOR)
    assert [(each.place.kind, each.place.version, each.secret.reveal(), each.made_ns) for each in known] == [
        (BIOS, 1, first[1], START),
        (IPMI, 1, first[2], START),
        (IPMI, 2, second[2], START + MINUTE),
        (OS, 1, first[0], START),
    ]


def test_a_unit_is_told_its_latest_bios_passwords_since_the_setup_may_have_one(server: Server) -> None:
    made = [started(server, "1").credentials()[1]]
    for boot in range(2, 6):
        server.admin.rotate("1", [BIOS], OPERATOR)
        unit = started(server, "1", boot)
        found = server.services.credentials.hand_out(CredentialRequest(unit.sender), "10.0.2.15")
        assert [each.password.reveal() for each in found.earlier_bios] == made[:2]
        made.insert(0, found.bios.reveal())
    assert len(set(made)) == 5


def test_what_cannot_be_rotated(server: Server) -> None:
    started(server, "1")
    with pytest.raises(BadInput, match="unit '1' has no passwords yet"):
        server.admin.rotate("1", [OS], OPERATOR)
    with pytest.raises(BadInput, match="no unit '2' is known"):
        server.admin.rotate("2", [OS], OPERATOR)
    with pytest.raises(BadInput, match="no unit '2' is known"):
        server.admin.reveal("2", OPERATOR)


def test_a_rotation_alone_does_not_open_a_sealed_unit(server: Server) -> None:
    unit = started(server, "1")
    first = unit.credentials()
    unit.state(S.MFG_SUCCEEDED)
    server.admin.rotate("1", [OS], OPERATOR)
    again = started(server, "1", 2)
    with pytest.raises(CredentialsRefused):
        again.credentials()
    server.admin.reopen("1", OPERATOR)
    assert again.credentials()[0] != first[0]


def test_platforms_get_passwords_by_their_own_rules(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / POLICY_FILE).write_text(
        "[os]\nlength = 24\n[platform.X7.ipmi]\nlength = 14\n[platform.X7.bios]\nlength = 8\n"
        'alphabet = "ABCDEFGHJKLMNPQRSTUVWX23456789"\nrequire = ["upper", "digit"]\n'
    )
    server = Server(tmp_path / "data")
    small, other = started(server, "1"), started(server, "2")
    server.services.store.code_name(CodeNameReport(small.sender, "X7"))
    assert [len(each) for each in small.credentials()] == [24, 8, 14]
    assert re.fullmatch("[A-Z2-9]{8}", small.credentials()[1])
    assert [len(each) for each in other.credentials()] == [24, 12, 16]
    server.database.close()
    (tmp_path / "data" / POLICY_FILE).write_text("[ipmi]\nlength = 21\nlenght = 3")
    with pytest.raises(BadInput) as caught:
        Server(tmp_path / "data")
    assert [problem.place for problem in caught.value.problems] == ["$.ipmi.lenght", "$.ipmi.length"]
    assert POLICY_FILE in str(caught.value)


def test_everything_that_is_done_is_in_the_trail(server: Server) -> None:
    unit = started(server, "1")
    unit.credentials()
    with pytest.raises(CredentialsRefused):
        Unit(server, "1", boot=2).credentials()
    server.admin.rotate("1", [IPMI, OS], OPERATOR)
    server.admin.reopen("1", OPERATOR)
    server.admin.reveal("1", OPERATOR)
    person, peer = ("a person", "a test"), ("unit at 10.0.2.15", "")
    assert trail(server) == [
        ("encrypted", "", "server", "", "a new store"),
        ("made", "1", *peer, "os 1, bios 1, ipmi 1"),
        ("handed-out", "1", *peer, "os 1, bios 1, ipmi 1"),
        ("refused", "1", *peer, "the provisioning of this unit was started by another session"),
        ("rotation", "1", *person, "os, ipmi"),
        ("reopened", "1", *person, ""),
        ("revealed", "1", *person, "bios 1, ipmi 1, os 1"),
    ]
    assert server.notes("1")[-3:] == [
        "credentials (os, ipmi) are made anew for the next provisioning",
        "reopened by a person: one more provisioning",
        "credentials revealed to a person",
    ]
    assert problems(server) == []


def test_refusals_do_not_fill_the_disk(sqlite_server: Server) -> None:
    server = sqlite_server
    stranger = Unit(server, "1")
    for _ in range(1010):
        with pytest.raises(CredentialsRefused):
            stranger.credentials()
    assert len(trail(server)) == 1001
    server.later(61)
    with pytest.raises(CredentialsRefused):
        stranger.credentials()
    assert trail(server)[-1][4].endswith(" (before it 10 refusals that are not recorded here)")


def test_the_trail_is_append_only_and_what_is_changed_by_force_is_found(server: Server) -> None:
    started(server, "1").credentials()
    for _ in range(3):
        server.admin.reveal("1", OPERATOR)
    noted = mark(server)
    for statement in ("DELETE FROM audit", "UPDATE audit SET who = 'x'"):
        with pytest.raises(DeviceFault, match="append-only"), server.database.write() as db:
            db.execute(text(statement))
    assert problems(server, noted) == []
    tamper(server, "UPDATE audit SET who = 'another' WHERE number = 5")
    assert problems(server, noted) == ["entry 5: was changed"]
    tamper(server, "UPDATE audit SET who = 'a person', action = 'x' WHERE number = 5")
    assert problems(server) == ["entry 5: was changed"]
    tamper(server, "DELETE FROM audit WHERE number = 4")
    assert problems(server)[0] == "entry 4: missing"
    tamper(server, "DELETE FROM audit WHERE number > 3")
    assert problems(server) == ["entries 4 to 6: missing"]
    tamper(server, "UPDATE store_key SET last_number = 3, last_digest = (SELECT digest FROM audit WHERE number = 3)")
    assert problems(server, noted) == [
        "the seal of the last entry does not belong to it: the trail was changed without the key",
        "entries 4 to 6: missing: they were there when the digest was noted",
    ]
    with pytest.raises(DeviceFault, match="the seal of its audit trail was changed"):
        server.restart()


def test_a_store_that_was_set_back_is_found_by_what_was_noted(sqlite_server: Server, tmp_path: Path) -> None:
    server = sqlite_server
    started(server, "1").credentials()
    server.database.close()
    before = Path(store_path(str(server.folder))).read_bytes()
    again = Server(server.folder, server.now_ns, server.randomness, server.keys)
    again.admin.reveal("1", OPERATOR)
    noted = mark(again)
    again.database.close()
    Path(store_path(str(server.folder))).write_bytes(before)
    back = Server(server.folder, server.now_ns, server.randomness, server.keys)
    assert problems(back) == []
    assert problems(back, noted) == ["entry 4: missing: they were there when the digest was noted"]
    back.database.close()


def test_what_a_reader_kept_from_being_removed_is_removed_later(sqlite_server: Server) -> None:
    server = sqlite_server
    started(server, "1").credentials()
    ((old,),) = rows(server, "SELECT ciphertext FROM passwords WHERE kind = 'os'")
    assert isinstance(old, bytes)

    def kept() -> bool:
        return any(old in path.read_bytes() for path in (server.folder / "store").iterdir())

    with closing(sqlite3.connect(store_path(str(server.folder)), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM units").fetchone()
        server.admin.replace_key(FakeKeys("new").fresh(), OPERATOR)
        assert not server.services.key.scrub()
        assert kept()
        reader.execute("ROLLBACK")
    assert server.services.key.scrub()
    assert not kept()
    assert server.services.key.scrub()


def test_a_store_without_its_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder, path = tmp_path / "data", tmp_path / "key"
    first = KeyFile(str(path), str(folder))
    server = _server(folder, first)
    passwords = started(server, "1").credentials()
    server.database.close()
    copy = path.read_bytes()
    path.unlink()
    with pytest.raises(DeviceMissing, match=r"no such key file.*--key-file.*restore it from its copy.*give-up-key"):
        _server(folder, first)
    KeyFile(str(path)).fresh()
    with pytest.raises(DeviceMissing, match=r"holds the key file-[0-9a-f]{16}, not file-.*give-up-key"):
        _server(folder, first)
    path.write_bytes(copy)
    again = _server(folder, first)
    assert Unit(again, "1").credentials() == passwords
    again.database.close()


def _server(folder: Path, keys: KeyProvider) -> Server:
    return Server(folder, keys=keys)


@pytest.mark.parametrize(
    ("column", "value"),
    [("digest", 10**15), ("digest", "text"), ("time_ns", "text"), ("action", "x\x1b[2J")],
)
def test_a_trail_with_values_of_another_kind_was_changed(sqlite_server: Server, column: str, value: object) -> None:
    server = sqlite_server
    started(server, "1").credentials()
    tamper(server, f"UPDATE audit SET {column} = ? WHERE number = 2", value)
    assert any("entry 2: was changed" in problem for problem in problems(server))
    with server.database.read() as db:
        if column == "digest":
            assert len(list(entries(db))) >= 2
        else:
            with pytest.raises(IntegrityFault, match=r"entry 2: was changed; .*--verify"):
                list(entries(db))


@pytest.mark.parametrize("value", ["text", 10**15])
def test_a_password_or_seal_that_is_no_bytes_was_changed(sqlite_server: Server, value: object) -> None:
    server = sqlite_server
    unit = started(server, "1")
    unit.credentials()
    tamper(server, "UPDATE passwords SET ciphertext = ?", value)
    with pytest.raises(IntegrityFault):
        unit.credentials()
    tamper(server, "UPDATE passwords SET kind = 'x' WHERE kind = 'os'")
    with pytest.raises(IntegrityFault):
        unit.credentials()
    tamper(server, "UPDATE store_key SET seal = ?", value)
    assert any("was changed without the key" in problem for problem in problems(server))


def test_giving_up_a_lost_key(server: Server) -> None:
    unit = started(server, "1")
    passwords = unit.credentials()
    folder, noted = str(server.folder), mark(server)
    server.database.close()
    with pytest.raises(RefusedByPolicy, match="the key fake-1 is there"):
        give_up_key(folder, server.database_url, server.keys, OPERATOR)
    assert isinstance(server.keys, FakeKeys)
    server.keys.lose()
    with pytest.raises(DeviceMissing):
        server.restart()
    running = serving(folder, server.database_url)
    with running, pytest.raises(DeviceFault, match="in use by another server"):
        give_up_key(folder, server.database_url, server.keys, OPERATOR)
    given_up = give_up_key(folder, server.database_url, server.keys, OPERATOR)
    assert (given_up.lost, given_up.new, given_up.passwords) == ("fake-1", "fake-1+", 3)
    again = server.restart()
    fresh = Unit(again, "1").credentials()
    assert not set(fresh) & set(passwords)
    assert problems(again, noted) == []  # the entries of before are still vouched for
    assert ("key-given-up", "", "a person", "a test", "fake-1; 3 passwords removed; new key fake-1+") in trail(again)
    again.database.close()


def test_the_passphrase_after_a_lost_one_is_one_that_is_chosen(tmp_path: Path) -> None:
    """It is asked for twice: a typing error would lose the passwords that are made from then on."""
    asked: list[bool] = []

    def ask(new: bool) -> Secret:
        asked.append(new)
        return Secret("another passphrase")

    lost = Passphrase(lambda _: Secret("a passphrase, lost"), log2_cost=10)
    server = _server(tmp_path / "data", lost)
    started(server, "1").credentials()
    server.database.close()
    give_up_key(str(server.folder), "", Passphrase(ask, log2_cost=10), OPERATOR)
    assert asked == [True]
    with pytest.raises(RefusedByPolicy, match="is there, the passwords can be decrypted"):
        give_up_key(str(server.folder), "", Passphrase(ask, log2_cost=10), OPERATOR)


def test_what_a_key_encrypted_is_removed_though_it_was_replaced_while_old_content_was(tmp_path: Path) -> None:
    """The running server removes old content of its file at the moment when another process replaces the key."""
    folder, path = tmp_path / "data", str(tmp_path / "key")
    running = _server(folder, KeyFile(path))
    started(running, "1").credentials()
    keys = KeyFile(path)
    other = _server(folder, keys)
    other.admin.replace_key(keys.add(), OPERATOR)

    class Meanwhile(Database):
        @override
        def scrub(self) -> bool:
            done = super().scrub()
            other.admin.replace_key(keys.add(), OPERATOR)
            return done

    with closing(Meanwhile(str(folder))) as database:
        assert StoreKey(database, KeyFile(path)).scrub()
    assert rows(running, "SELECT scrub_due FROM store_key") == [(1,)]
    other.database.close()
    running.database.close()


def test_a_server_goes_on_when_its_key_is_replaced_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    running = _server(folder, KeyFile(str(tmp_path / "key")))
    passwords = started(running, "1").credentials()
    keys = KeyFile(str(tmp_path / "key"))
    other = _server(folder, keys)
    assert other.admin.replace_key(keys.add(), OPERATOR) == 3
    other.database.close()
    assert Unit(running, "1").credentials() == passwords
    assert problems(running) == []
    assert len({row[0] for row in rows(running, "SELECT key_id FROM store_key")}) == 1
    running.database.close()


def test_a_key_is_not_replaced_if_a_password_was_changed(server: Server) -> None:
    started(server, "1").credentials()
    tamper(server, "UPDATE passwords SET kind = 'x' WHERE kind = 'os'")
    tamper(server, "UPDATE passwords SET kind = 'os' WHERE kind = 'ipmi'")
    tamper(server, "UPDATE passwords SET kind = 'ipmi' WHERE kind = 'x'")
    before = rows(server, "SELECT * FROM passwords")
    with pytest.raises(IntegrityFault):
        server.admin.replace_key(FakeKeys("other").fresh(), OPERATOR)
    assert rows(server, "SELECT * FROM passwords") == before
    assert rows(server, "SELECT key_id FROM store_key") == [("fake-1",)]
    assert started(server, "2").credentials()


class AdoptersVault(KeyProvider):
    """As an adopter would write it: keys are elsewhere, and may be out of reach."""

    def __init__(self) -> None:
        self.reachable = True
        self._keys = FakeKeys("vault:factory")

    @override
    def fresh(self) -> SecretBox:
        return self._keys.fresh()

    @override
    def existing(self, key_id: str) -> SecretBox:
        if not self.reachable:
            raise DeviceFault("vault", "does not answer")
        return self._keys.existing(key_id)


def test_an_adopter_wires_another_provider_of_keys(tmp_path: Path) -> None:
    vault = AdoptersVault()
    container = server_container(str(tmp_path), FakeKeys())
    set_value(container.keys, vault)
    container.trail()
    with closing(container.database()), container.database().read() as db:
        assert db.execute(text("SELECT key_id FROM store_key")).scalar_one() == "vault:factory"
    vault.reachable = False
    again = server_container(str(tmp_path), vault)
    with closing(again.database()), pytest.raises(DeviceFault, match="does not answer"):
        again.services()


def test_only_the_owner_can_read_store_and_documents_after_every_change(sqlite_server: Server) -> None:
    server = sqlite_server

    def modes() -> dict[str, int]:
        folders = [server.folder / "store", server.folder / "documents"]
        paths = [*folders, *(path for folder in folders for path in folder.iterdir())]
        return {str(path): stat.S_IMODE(path.stat().st_mode) for path in paths}

    def check() -> None:
        found = modes()
        assert {mode for path, mode in found.items() if Path(path).is_dir()} == {0o700}
        assert {mode for path, mode in found.items() if Path(path).is_file()} == {0o600}

    before = os.umask(0)
    try:
        server.container.app()
        check()
        provision(Unit(server, "1"))
        Unit(server, "1", boot=2).state(S.FR_SUCCEEDED)
        server.services.released.write_due()
        assert any("documents" in path and path.endswith(".json") for path in modes())
        check()
        unit = started(server, "2")
        unit.credentials()
        for change in (
            lambda: server.admin.rotate("2", [OS], OPERATOR),
            lambda: server.admin.reveal("2", OPERATOR),
            lambda: server.admin.reopen("2", OPERATOR),
            lambda: server.admin.replace_key(FakeKeys("new").fresh(), OPERATOR),
            lambda: server.database.scrub(),
        ):
            change()
            check()
    finally:
        os.umask(before)


def test_a_store_is_read_by_others_while_the_server_runs(sqlite_server: Server) -> None:
    server = sqlite_server
    started(server, "1").credentials()
    with open_existing(str(server.folder)) as db:
        assert db.execute(text("SELECT count(*) FROM audit")).scalar_one() == 3
    server.services.store.state(StateReport(Unit(server, "1").sender, S.MFG_FAILED))
