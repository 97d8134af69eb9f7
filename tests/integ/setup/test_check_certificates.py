"""Certificates of a server, made by its CA and then spoilt."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.apps.server.setup.check_certificates import CertificateCheck
from gprov.apps.server.tls.certificate_files import create_own_ca
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.listen import Listen
from gprov.domain.factory.settings.tls import BootPort, Tls, TlsMode
from gprov.domain.factory.setup.finding import Level

DAY_NS = 86400 * 10**9
NOW = time.time_ns()
SETTINGS = ServerSettings(
    listen=Listen(host="10.1.0.1", names=("factory.example",)), tls=Tls(mode=TlsMode.OWN_CA, boot=BootPort.HTTPS)
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    create_own_ca(str(folder), SETTINGS.listen.all_names, NOW)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def found(folder: Path, settings: ServerSettings = SETTINGS, now_ns: int = NOW) -> list[tuple[Level, str]]:
    checks = CertificateCheck(str(folder), settings, now_ns).findings()
    return [(each.level, each.describe().removeprefix(f"{folder}/")) for each in checks]


def test_good_ones(folder: Path) -> None:
    assert found(folder) == []
    assert found(folder, replace(SETTINGS, tls=Tls())) == []


def test_the_time(folder: Path) -> None:
    soon, late, early = (found(folder, now_ns=NOW + days * DAY_NS) for days in (800, 821, -10))
    assert [level for level, _ in (*soon, *late, *early)] == [Level.WARNING] * 2 + [Level.PROBLEM] * 4
    assert soon[0][1].startswith("tls/server.pem: expires in ")
    assert late[1][1].startswith("tls/boot.pem: expired ")
    assert "is not valid yet" in early[0][1]


def test_names(folder: Path) -> None:
    other = replace(SETTINGS, listen=Listen(host="10.1.0.2", public_url="https://other.example"))
    assert "is not for 10.1.0.2, other.example, by which clients reach this server" in found(folder, other)[0][1]


@pytest.mark.parametrize("name", ["ca/ca.key", "tls/server.key", "tls/boot.key"])
def test_keys_that_others_can_read(folder: Path, name: str) -> None:
    (folder / name).chmod(0o640)
    ((level, text),) = found(folder)
    assert level is Level.PROBLEM
    assert text.startswith(f"{name}: ")
    assert "0640" in text


@pytest.mark.parametrize("name", ["tls/server.pem", "tls/boot.key", "tls/ca.pem"])
def test_what_is_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert [level for level, text in found(folder) if text.startswith(f"{name}: does not exist")][:1] == [Level.PROBLEM]


def test_what_is_no_certificate(folder: Path) -> None:
    (folder / "tls/server.pem").write_text("no certificate")
    assert found(folder)[0][1].startswith("tls/server.pem: is not a server's certificate")
