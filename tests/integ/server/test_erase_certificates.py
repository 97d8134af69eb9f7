"""Erase certificates of the real server over HTTP. Oracles: the program openssl, and sqlite3."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.apps.host.cli.main import main
from gprov.apps.server.container import server_container
from gprov.apps.server.store.erasures import KEY_FILE
from gprov.domain.erase.report import UnitIdentity
from gprov.domain.erase.report_making import make_report
from gprov.domain.erase.report_text import report_bytes
from gprov.domain.erase.signed import SignedCertificate, certificate_file
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.factory.replies import FactoryRefused
from gprov.domain.factory.requests import ErasureRegistration, Sender
from tests.integ.server.test_server_process import JSON, Server
from tests.unit.erase.outcomes import OVERWRITTEN, facts_of

SERIAL = "/6XQ2PN2/CN 0.1+?&#%2F"


def report(serial: str = "SN1", operator: str = "", disks: int = 1) -> bytes:
    facts = facts_of(*[OVERWRITTEN] * disks)
    return report_bytes(make_report(replace(facts, operator=operator, unit=UnitIdentity(serial, "", "", ""))))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "data")
    with closing(running):
        running.start()
        yield running
        assert "Traceback" not in running.errors


def public_key(server: Server, folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    capsys.readouterr()
    assert main(["server", "key", "--data", str(server.data)]) == 0
    path = folder / "factory.pem"
    path.write_text(capsys.readouterr().out)
    return path


def openssl_verifies(certificate: Path, key: Path) -> bool:
    """The command that the documentation tells an auditor to use."""
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin", "-in", str(certificate)]
    done = subprocess.run([*words, "-sigfile", f"{certificate}.sig"], capture_output=True, text=True, check=False)
    assert ("Signature Verified Successfully" in done.stdout) == (done.returncode == 0)
    return done.returncode == 0


def write(folder: Path, signed: SignedCertificate) -> Path:
    path = folder / "X.json"
    path.write_bytes(signed.certificate)
    Path(f"{path}.sig").write_bytes(signed.signature)
    return path


def test_openssl_and_gprov_verify_what_the_server_signs(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = server.client()
    signed = [client.register(report(operator=f"Grüße {number}")) for number in range(3)]
    key, path = public_key(server, tmp_path, capsys), write(tmp_path, signed[1])
    chain = server.data / "certificates"
    raw = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", str(key), "-outform", "DER"], capture_output=True, check=True
    ).stdout[-32:]
    assert json.loads(signed[1].certificate)["issuer"]["key_id"] == hashlib.sha256(raw).hexdigest()
    for file in (path, *(chain / certificate_file(number) for number in (1, 2, 3))):
        assert openssl_verifies(file, key)
        assert main(["erase", "verify-certificate", str(file), "--key", str(key), "--chain", str(chain)]) == 0
    path.write_bytes(path.read_bytes().replace(b"Gr", b"GR"))
    assert not openssl_verifies(path, key)
    assert main(["erase", "verify-certificate", str(path), "--key", str(key)]) == 1


def test_a_bench_machine_has_the_server_sign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(tmp_path / "data", "--issuer", "Factory 7")
    with closing(server):
        server.start()
        file, output = tmp_path / "report.json", tmp_path / "X.json"
        file.write_bytes(report("BENCH1"))
        words = ["erase", "certify", str(file), "--server", server.url, "--output", str(output)]
        assert main(words) == 0
        key = public_key(server, tmp_path, capsys)
        assert openssl_verifies(output, key)
        assert main(["erase", "verify-certificate", str(output), "--key", str(key), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["issuer"] == "Factory 7"
        server.end()
        assert main(words) == 3


def test_reports_at_once_make_one_chain(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clients = [server.client() for _ in range(4)]

    def register(number: int) -> SignedCertificate:
        return clients[number % 4].register(report(f"SN{number % 12}"))

    with ThreadPoolExecutor(4) as pool:
        signed = list(pool.map(register, range(36)))
    documents = [json.loads(one.certificate) for one in signed]
    assert sorted({document["chain"]["sequence"] for document in documents}) == list(range(1, 13))
    assert len({one.certificate for one in signed}) == 12
    assert len({document["chain"]["previous"] for document in documents}) == 12
    key, chain = public_key(server, tmp_path, capsys), server.data / "certificates"
    last = chain / certificate_file(12)
    assert main(["erase", "verify-certificate", str(last), "--key", str(key), "--chain", str(chain)]) == 0


def test_the_chain_goes_on_after_a_kill(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = server.client().register(report("SN1"))
    server.end(9)
    server.start()
    assert server.client().register(report("SN1")) == first
    second = server.client().register(report("SN2"))
    assert json.loads(second.certificate)["chain"] == {
        "sequence": 2,
        "previous": hashlib.sha256(first.certificate).hexdigest(),
    }
    assert openssl_verifies(write(tmp_path, second), public_key(server, tmp_path, capsys))


def test_pages_and_files(server: Server) -> None:
    older = server.client().register(report(SERIAL, "first"))
    signed = server.client().register(report(SERIAL, "<script>second</script>"))
    query = "/erasure?serial=%2F6XQ2PN2%2FCN%200.1%2B%3F%26%23%252F"
    for path in (query, "/erasure/2"):
        status, body, headers = server.ask(path)
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert b"&lt;script&gt;second" in body
        assert b"<script" not in body
    assert b"first" in server.ask("/erasure/1")[1]
    assert server.ask("/erasure/erasure-00000002.json")[1] == signed.certificate
    assert server.ask("/erasure/erasure-00000002.json.sig")[1] == signed.signature
    for path in ("/erasure/0", "/erasure/3", "/erasure/x", "/erasure?serial=x", "/erasure/erasure-000000002.json"):
        assert server.ask(path)[0] == 404, path
    listed = server.get("erasures", serial=SERIAL)["erasures"]
    assert [(one["sequence"], one["verdict"]) for one in listed] == [(2, "erased"), (1, "erased")]
    assert listed[1]["sha256"] == hashlib.sha256(older.certificate).hexdigest()


def test_what_is_not_certified(server: Server) -> None:
    message = {"serial": "SN1", "session": "0" * 32, "report": report("SN2").decode()}
    status, body, _ = server.ask("/api/v1/erasure", "POST", json.dumps(message).encode(), JSON)
    assert status == 422
    assert "the sender is 'SN1'" in body.decode()
    message["report"] = report("SN1").decode().replace('"achieved": "clear"', '"achieved": "purge"')
    status, body, _ = server.ask("/api/v1/erasure", "POST", json.dumps(message).encode(), JSON)
    assert status == 422
    assert "does not reach the level purge" in body.decode()
    with pytest.raises(FactoryRefused, match="serial"):
        server.client().register(report(""))
    assert server.get("erasures", serial="SN1") == {"erasures": []}


def test_the_key_is_private_and_not_shown(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    path = server.data / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert main(["server", "key", "--data", str(server.data), "--json"]) == 0
    shown = capsys.readouterr().out
    assert "PRIVATE" not in shown
    assert len(json.loads(shown)["key_id"]) == 64
    assert main(["server", "key", "--data", str(server.data / "none")]) == 3
    assert not (server.data / "none").exists()


def test_a_chain_is_not_continued_with_another_key(tmp_path: Path) -> None:
    def register(serial: str) -> SignedCertificate:
        container = server_container(str(tmp_path), FakeKeys())
        with closing(container.database()):
            message = ErasureRegistration(Sender(serial, "0" * 32), report(serial).decode())
            return container.erasures().register(message)

    first = register("SN1")
    kept = tmp_path / "kept.pem"
    os.rename(tmp_path / KEY_FILE, kept)
    assert register("SN1") == first
    with pytest.raises(DeviceFault, match="is not the key of erase certificate 1: restore that key"):
        register("SN2")
    os.replace(kept, tmp_path / KEY_FILE)
    assert json.loads(register("SN2").certificate)["chain"]["sequence"] == 2
    with closing(sqlite3.connect(tmp_path / "store" / "factory.sqlite")) as db:
        assert db.execute("SELECT count(*), count(DISTINCT key_id) FROM erasures").fetchone() == (2, 1)


def test_a_report_that_is_no_report_leaves_nothing(tmp_path: Path) -> None:
    container = server_container(str(tmp_path), FakeKeys())
    with closing(container.database()):
        with pytest.raises(BadInput):
            container.erasures().register(ErasureRegistration(Sender("SN1", "0" * 32), "{}"))
        assert container.queries().unit("SN1") is None
