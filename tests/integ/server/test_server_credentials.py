"""``gprov server credentials``, ``reopen`` and ``audit`` beside a running server, and beside none."""

from __future__ import annotations

import getpass
import io
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from sqlalchemy import insert as insert_into
from sqlalchemy import text

from gprov.adapters.linux.keys.key_file import KeyFile
from gprov.apps.host.cli.main import main
from gprov.apps.host.cli.server_keys import default_key_file, systemd_credential
from gprov.apps.server.composition.secrets import POLICY_FILE
from gprov.apps.server.secrets.password_store import KnownPassword, UnitRow, insert
from gprov.apps.server.store.tables import units
from gprov.domain.events import ProcessState
from gprov.domain.factory.password_rule import PasswordKind
from gprov.domain.factory.sealed_password import PasswordPlace
from gprov.domain.unit.credentials import Secret
from tests.integ.server.test_server_process import GPROV, SECONDS, Server, holders
from tests.integ.server.test_server_store import Server as Services

S = ProcessState
PASSPHRASE = "correct horse battery staple"


@dataclass(frozen=True)
class Ended:
    stdout: str
    stderr: str


def gprov(*words: str, status: int = 0, fd: bytes | None = None) -> Ended:
    """``fd``: what can be read from the file descriptor for which the word FD stands."""
    out, err = io.StringIO(), io.StringIO()
    with ExitStack() as stack:
        number = str(stack.enter_context(_filled(fd)).fileno()) if fd is not None else ""
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        try:
            ended: object = main(["server", *(number if word == "FD" else word for word in words)])
        except SystemExit as exit_:
            ended = exit_.code
    assert ended == status, err.getvalue()
    return Ended(out.getvalue(), err.getvalue())


def started_in_vain(*words: str) -> tuple[int, str]:
    """Exit status and standard error of a server that cannot start."""
    ended = subprocess.run(
        [GPROV, "server", *words, "--isolated", "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    return ended.returncode, ended.stderr


def _filled(content: bytes) -> BinaryIO:
    """A pipe from which this can be read."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as end:
        end.write(content)
    return os.fdopen(reading, "rb")


def document(*words: str, fd: bytes | None = None) -> Any:
    return json.loads(gprov(*words, "--json", fd=fd).stdout)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "data")
    with closing(running):
        running.start()
        yield running
        assert "Traceback" not in running.errors


def provisioned(server: Server, serial: str = "SN1") -> tuple[str, str, str]:
    client = server.client()
    client.state(serial, S.MFG_STARTED)
    found = client.credentials(serial)
    return found.os.reveal(), found.bios.reveal(), found.ipmi.reveal()


def shown(server: Server, *options: str) -> dict[str, list[str]]:
    found = document("credentials", "show", *server.where, "SN1", "--reason", "a test", *options)
    passwords: dict[str, list[str]] = {}
    for each in found["passwords"]:
        passwords.setdefault(each["kind"], []).append(each["password"])
    return passwords


def test_the_first_start_makes_a_key_and_says_so_once(server: Server) -> None:
    lines = [line for line in server.errors.splitlines() if "made the key" in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"gprov server: {server.key_file}: made the key that encrypts the passwords")
    assert stat.S_IMODE(server.key_file.stat().st_mode) == 0o600
    passwords = provisioned(server)
    server.end(signal.SIGKILL)
    server.start()
    assert server.errors.count("made the key") == 1
    assert "could be read by other users" not in server.errors
    assert shown(server) == dict(zip(("os", "bios", "ipmi"), ([each] for each in passwords), strict=True))


def test_a_start_without_the_key_says_what_to_do(server: Server) -> None:
    provisioned(server)
    server.end()
    server.key_file.rename(f"{server.key_file}.away")
    status, errors = started_in_vain(*server.where)
    assert status == 3
    assert "or restore it from its copy. If it is lost, the passwords in the store cannot be read" in errors
    assert "gprov server credentials give-up-key" in errors
    assert not server.key_file.exists()
    words = ("credentials", "give-up-key", *server.where, "--reason", "the disk with the key broke")
    assert "--yes-remove-passwords" in gprov(*words, status=2).stderr
    given_up = document(*words, "--yes-remove-passwords")
    assert given_up["passwords"] == 3
    server.start()
    assert len(set(provisioned(server))) == 3
    assert "in use by another server" in gprov(*words, "--yes-remove-passwords", status=3).stderr
    server.end()
    assert "is there, the passwords can be decrypted" in gprov(*words, "--yes-remove-passwords", status=1).stderr


def test_show_reveals_one_unit_to_standard_output_and_records_who_and_why(server: Server) -> None:
    passwords = provisioned(server)
    ended = gprov("credentials", "show", *server.where, "SN1", "--reason", "support case 7")
    assert [line.split("\t")[:2] for line in ended.stdout.splitlines()] == [
        ["bios", passwords[1]],
        ["ipmi", passwords[2]],
        ["os", passwords[0]],
    ]
    assert not [password for password in passwords if password in ended.stderr]
    last = document("audit", "--data", str(server.data), "--serial", "SN1")["entries"][-1]
    assert (last["action"], last["reason"]) == ("revealed", "support case 7")
    assert last["who"].startswith(getpass.getuser())
    assert not [
        password for password in passwords if password in json.dumps(document("audit", "--data", str(server.data)))
    ]
    assert "Missing option '--reason'" in gprov("credentials", "show", *server.where, "SN1", status=2).stderr
    for reason in ("", " ", "two\nlines", "x" * 501):
        gprov("credentials", "show", *server.where, "SN1", "--reason", reason, status=2)
    unknown = gprov("credentials", "show", *server.where, "SN2", "--reason", "x", status=1)
    assert unknown.stderr == f"gprov: {server.data}: no unit 'SN2' is known\n"
    server.client().state("SN3", S.INIT_STARTED)
    assert "no passwords" in gprov("credentials", "show", *server.where, "SN3", "--reason", "x", status=1).stderr


def test_rotating_beside_a_running_server(server: Server) -> None:
    first = provisioned(server)
    words = ("credentials", "rotate", *server.where, "SN1", "--reason", "a thief")
    assert document(*words, "--kind", "ipmi") == {"serial": "SN1", "kinds": ["ipmi"], "sealed": False}
    assert server.get("unit", serial="SN1")["credentials"]["rotating"] == "ipmi"
    second = provisioned(server)
    assert (second[:2], second[2] != first[2]) == (first[:2], True)
    assert shown(server)["ipmi"] == [second[2]]
    assert shown(server, "--previous")["ipmi"] == [first[2], second[2]]
    told = gprov(*words).stdout
    assert "os, bios, ipmi: its next provisioning gets fresh passwords" in told
    assert "the BIOS setup keeps its password until the unit's configuration tool or a person sets" in told
    assert not set(provisioned(server)) & {*first, *second}
    assert "'psu' is not one of" in gprov(*words, "--kind", "psu", status=2).stderr


def test_the_trail_as_text_and_its_verification(server: Server) -> None:
    provisioned(server)
    gprov("reopen", *server.where, "SN1", "--reason", "bench 7 broke")
    text = gprov("audit", "--data", str(server.data)).stdout.splitlines()
    assert [line.split()[5] for line in text[1:]] == ["made", "handed-out", "reopened"], text
    assert text[-1].endswith("(bench 7 broke)")
    assert " SN1: handed-out by unit at 127.0.0.1: os 1, bios 1, ipmi 1" in text[2]
    verified = document("audit", *server.where, "--verify")
    assert (verified["valid"], verified["problems"]) == (True, [])
    later = document("audit", *server.where, "--verify", "--expect", verified["last"])
    assert later["valid"]
    wrong = f"{verified['last'].partition(':')[0]}:{'0' * 64}"
    ended = gprov("audit", *server.where, "--verify", "--expect", wrong, status=1)
    assert "is not the one with the digest that was noted" in ended.stderr
    server.end()
    with closing(sqlite3.connect(server.data / "store" / "factory.sqlite")) as db:
        db.execute("DROP TRIGGER audit_is_not_shortened")
        db.execute("DELETE FROM audit WHERE action = 'handed-out'")
        db.commit()
    assert gprov("audit", *server.where, "--verify", status=1).stderr == f"{server.data}: entry 3: missing\n"
    gprov("audit", *server.where, status=2)
    gprov("audit", *server.where, "--verify", "--expect", "7", status=2)
    gprov("audit", *server.where, "--verify", "--serial", "SN1", status=2)


def test_rekeying_beside_a_running_server(server: Server) -> None:
    passwords = provisioned(server)
    old = server.key_file.read_text()
    client = server.client()
    client.state("SN1", S.MFG_STARTED)
    told = document("credentials", "rekey", *server.where, "--reason", "yearly")
    assert (told["passwords"], told["scrubbed"]) == (3, True)
    assert client.credentials("SN1").os.reveal() == passwords[0]
    assert document("audit", *server.where, "--verify")["valid"]
    assert server.key_file.read_text().endswith(old)
    server.key_file.write_text("".join(server.key_file.read_text().splitlines(keepends=True)[:2]))
    assert shown(server)["os"] == [passwords[0]]
    server.key_file.write_text(old)
    assert "holds the key" in gprov("audit", *server.where, "--verify", status=3).stderr


def test_from_a_key_file_to_a_passphrase_and_back(server: Server, tmp_path: Path) -> None:
    passwords = provisioned(server)
    server.end()
    words = ("credentials", "rekey", "--data", str(server.data), "--reason", "x")
    told = document(*words, "--key-file", str(server.key_file), "--new-passphrase-fd", "FD", fd=PASSPHRASE.encode())
    assert told["key_id"].startswith("scrypt-17-")
    data = ("--data", str(server.data))
    show = ("credentials", "show", *data, "SN1", "--reason", "x", "--passphrase-fd", "FD")
    assert passwords[0] in gprov(*show, fd=PASSPHRASE.encode() + b"\nmore").stdout
    wrong = gprov(*show, fd=b"something else", status=3)
    assert "is not the one of the key scrypt" in wrong.stderr
    assert "something else" not in wrong.stderr
    assert "not scrypt-17" in gprov("audit", *server.where, "--verify", status=3).stderr
    assert "--new-key-file" in gprov(*words, "--passphrase-fd", "FD", fd=PASSPHRASE.encode(), status=2).stderr
    no_terminal = subprocess.run(
        [GPROV, "server", "audit", *data, "--verify", "--passphrase"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert (no_terminal.returncode, "no terminal" in no_terminal.stderr) == (1, True)
    both = gprov("audit", *data, "--verify", "--passphrase", "--key-file", "x", status=2)
    assert "give one of them" in both.stderr
    new = str(tmp_path / "new.key")
    gprov(*words, "--passphrase-fd", "FD", "--new-key-file", new, fd=PASSPHRASE.encode())
    assert passwords[0] in gprov("credentials", "show", *data, "SN1", "--reason", "x", "--key-file", new).stdout
    again = gprov(*words, "--key-file", new, "--new-key-file", new, status=1)
    assert "is encrypted with that key already" in again.stderr


def test_a_running_server_with_a_passphrase(tmp_path: Path) -> None:
    pipe = _filled(PASSPHRASE.encode() + b"\n")
    process = subprocess.Popen(
        [
            GPROV,
            "server",
            "--data",
            str(tmp_path / "data"),
            "--isolated",
            "--port=0",
            f"--passphrase-fd={pipe.fileno()}",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(pipe.fileno(),),
    )
    pipe.close()
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"gprov server: listening")
    with open(f"/proc/{process.pid}/cmdline", "rb") as line, open(f"/proc/{process.pid}/environ", "rb") as environment:
        assert PASSPHRASE.encode() not in line.read() + environment.read()
    process.terminate()
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert PASSPHRASE.encode() not in errors
    assert holders(tmp_path / "data", [PASSPHRASE]) == set()


def test_rights_of_other_users_are_taken_away_again(server: Server) -> None:
    paths = [server.data / "documents", server.data / "store", server.data / "store" / "factory.sqlite"]
    for path in paths:
        path.chmod(0o777)
    end = time.monotonic() + SECONDS
    while any(path.stat().st_mode & 0o077 for path in paths) and time.monotonic() < end:
        time.sleep(0.05)
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o700, 0o700, 0o700]
    assert f"{paths[2]}: could be read by other users; their rights were taken away" in server.errors


def test_a_credential_of_systemd(server: Server, tmp_path: Path) -> None:
    passwords = provisioned(server)
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "gprov-server-key").write_bytes(server.key_file.read_bytes())
    (folder / "gprov-server-key").chmod(0o440)
    for words, sought in (
        (("show", "SN1"), passwords[0]),
        (("rekey",), "the present key is not in a key file"),
    ):
        ended = subprocess.run(
            [GPROV, "server", "credentials", *words, "--data", str(server.data), "--reason", "x"],
            env={**os.environ, "CREDENTIALS_DIRECTORY": str(folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert sought in ended.stdout + ended.stderr


def test_where_the_key_is_without_options(tmp_path: Path) -> None:
    assert default_key_file(0, {"HOME": "/home/a"}) == "/etc/gprov/server.key"
    assert default_key_file(7, {"HOME": "/home/a"}) == "/home/a/.config/gprov/server.key"
    assert default_key_file(7, {"HOME": "/home/a", "XDG_CONFIG_HOME": "/x"}) == "/x/gprov/server.key"
    with pytest.raises(Exception, match="say where the key of the store is"):
        default_key_file(7, {})
    assert systemd_credential({}) is None
    assert systemd_credential({"CREDENTIALS_DIRECTORY": str(tmp_path)}) is None
    (tmp_path / "gprov-server-key").touch()
    assert systemd_credential({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == str(tmp_path / "gprov-server-key")


def test_a_key_in_the_data_folder_and_a_weak_policy_keep_the_server_from_starting(tmp_path: Path) -> None:
    data = tmp_path / "data"
    status, errors = started_in_vain("--data", str(data), "--key-file", str(data / "key"))
    assert (status, "a copy of that folder would hold the passwords and their key" in errors) == (1, True)
    (data / POLICY_FILE).write_text("[bios]\nlength = 6\n[platform.X7.ipmi]\nlength = 24\n")
    where = ("--data", str(data), "--key-file", str(tmp_path / "key"))
    status, errors = started_in_vain(*where)
    assert status == 1
    assert "$.bios.length: gives 33.2 bits" in errors
    assert "$.platform.X7.ipmi.length: must be 1..20, is 24" in errors
    assert "$.bios.length" in gprov("credentials", "policy", "--data", str(data), status=1).stderr
    (data / POLICY_FILE).write_text("[platform.X7.bios]\nlength = 8\n")
    for name, length in (("X7", 8), ("", 12)):
        found = document("credentials", "policy", "--data", str(data), "--code-name", name)
        assert (found["bios"]["length"], found["ipmi"]["length"]) == (length, 16)
    assert "bios\t8 of abc" in gprov("credentials", "policy", "--data", str(data), "--code-name", "X7").stdout


UNITS = 500
PASSWORDS = UNITS * len(PasswordKind)
# Replaces the key of a store as the command does, and kills itself at one of the seals: those of the passwords, then
# that of the audit trail.
REKEY = """
import os, signal, sys
from gprov.adapters.linux.keys.key_file import KeyFile
from gprov.apps.server.container import server_container
from gprov.domain.factory.audit import Actor

class Deadly:
    def __init__(self, box, seals):
        self.key_id, self._box, self._seals = box.key_id, box, seals

    def seal(self, plain, context):
        self._seals -= 1
        if self._seals == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._box.seal(plain, context)

    def open(self, sealed, context):
        return self._box.open(sealed, context)

folder, path, seals = sys.argv[1:]
admin = server_container(folder, KeyFile(path)).admin()
admin.replace_key(Deadly(KeyFile(path).add(), int(seals)), Actor("a test"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_store_survives_kills_while_its_key_is_replaced(tmp_path: Path) -> None:
    folder, keys = tmp_path / "data", KeyFile(str(tmp_path / "key"))
    services = Services(folder, keys=keys)
    made = set()
    with services.database.write() as db:
        for unit in range(1, UNITS + 1):
            seen = {"state_ns": 1, "first_seen_ns": 1, "last_seen_ns": 1}
            db.execute(insert_into(units).values(id=unit, serial=f"SN{unit}", **seen))
            passwords = [
                KnownPassword(PasswordPlace(f"SN{unit}", kind, 1), 1, Secret(f"{kind.value} of {unit}"))
                for kind in PasswordKind
            ]
            insert(db, unit, passwords, services.key.box(db))
            made.update(passwords)
    services.database.close()
    # The last number is more than there are seals: it is killed after the transaction, before the old is removed.
    for seals in (1, 2, PASSWORDS // 2, PASSWORDS, PASSWORDS + 1, PASSWORDS + 2):
        before = _store_key(folder)
        ended = subprocess.run([sys.executable, "-c", REKEY, str(folder), keys.path, str(seals)], check=False)
        assert ended.returncode == -signal.SIGKILL
        complete = seals > PASSWORDS + 1
        assert (_store_key(folder) != before) is complete
        assert _store_key(folder)[1] == complete
        again = Services(folder, keys=keys)
        with again.database.read() as db:
            found = {
                known for unit in range(1, UNITS + 1) for known in again.passwords.all(db, UnitRow(unit, f"SN{unit}"))
            }
            assert found == made
            assert again.trail.problems(db) == ()
            assert db.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
        again.database.close()
        assert _store_key(folder)[1] is False
    told = document("credentials", "rekey", "--data", str(folder), "--key-file", keys.path, "--reason", "x")
    assert told == {"key_id": keys.fresh().key_id, "passwords": PASSWORDS, "scrubbed": True}
    assert _store_key(folder) == (keys.fresh().key_id, False)


def _store_key(folder: Path) -> tuple[str, bool]:
    """The id of the key, and whether what was encrypted with another one is to be removed from the file."""
    with closing(sqlite3.connect(folder / "store" / "factory.sqlite")) as db:
        key_id, scrub_due = db.execute("SELECT key_id, scrub_due FROM store_key").fetchone()
    return str(key_id), bool(scrub_due)


def test_a_token_for_a_unit_that_is_started_by_hand(server: Server) -> None:
    argument, _, token = (
        gprov("token", *server.where, "SN1", "--hours", "2", "--uses", "3").stdout.strip().partition("=")
    )
    assert argument == "PROVISION_TOKEN"
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert document("token", *server.where, "SN1").keys() == {"argument", "token"}
    trail = gprov("audit", "--data", str(server.data), "--serial", "SN1").stdout
    assert "SN1: token-issued by" in trail
    assert "for SN1, for 120 min and 3 sessions" in trail
    assert token not in trail
    assert "printable" in gprov("token", *server.where, " ", status=1).stderr


def test_accounts_by_the_command_line(server: Server) -> None:
    password = PASSPHRASE.encode() + b"\n"
    add = ("account", "add", "anna", *server.where, "--password-fd", "FD", "--role")
    assert "at least one account must have the role manage" in gprov(*add, "view", status=1, fd=password).stderr
    gprov(*add, "manage", fd=password)
    assert "already" in gprov(*add, "manage", status=1, fd=password).stderr
    assert "12 to 200" in gprov("account", "add", "b", *server.where, "--password-fd", "FD", status=1, fd=b"x").stderr
    assert "no terminal" in gprov("account", "add", "b", *server.where, status=1).stderr
    gprov("account", "add", "bert", *server.where, "--password-fd", "FD", fd=password)
    gprov("account", "role", "bert", "operate", *server.where)
    gprov("account", "password", "bert", *server.where, "--password-fd", "FD", fd=b"staple battery horse\n")
    assert "bert: operate, never signed in" in gprov("account", "list", *server.where).stdout
    found = [(each["name"], each["role"]) for each in document("account", "list", *server.where)["accounts"]]
    assert found == [("anna", "manage"), ("bert", "operate")]
    gprov("account", "remove", "bert", *server.where, "--reason", "left")
    assert "role manage" in gprov("account", "remove", "anna", *server.where, "--reason", "x", status=1).stderr
    assert re.fullmatch("[0-9a-f]{64}\n", gprov("account", "token", "export", *server.where).stdout)
    assert document("account", "token", "other", *server.where, "--days", "0").keys() == {"token"}
    trail = gprov("audit", "--data", str(server.data)).stdout
    for what in ("account anna added with role manage", "account bert removed", "(left)", "token export for programs"):
        assert what in trail
    assert PASSPHRASE not in trail
