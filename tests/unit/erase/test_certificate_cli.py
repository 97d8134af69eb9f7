"""``gprov erase`` on certificates, and the chain in a folder."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.files.certificate_folder import FolderRegistry, read_chain
from gprov.adapters.linux.files.files import LinuxFiles
from gprov.adapters.linux.system.ed25519 import public_key, signer_at, signer_in
from gprov.apps.host.cli.main import main
from gprov.domain.erase.certificate import parse_certificate
from gprov.domain.erase.certificate_chain import check_chain
from gprov.domain.erase.report_making import make_report
from gprov.domain.erase.report_text import report_bytes
from gprov.domain.errors import BadInput, DeviceMissing
from gprov.domain.formats.owner import Owner
from tests.unit.erase.keys import OTHER, PRIVATE_PEM, SIGNER, signed_chain
from tests.unit.erase.outcomes import NOW_NS, OVERWRITTEN, UNIT, facts_of

REPORTS = [report_bytes(make_report(facts_of(*[OVERWRITTEN] * count))) for count in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A chain of two, the public key, and a private key."""
    chain = tmp_path / "chain"
    chain.mkdir()
    for number, signed in enumerate(signed_chain(facts_of(OVERWRITTEN), facts_of(OVERWRITTEN, OVERWRITTEN)), 1):
        (chain / f"erasure-{number:08d}.json").write_bytes(signed.certificate)
        (chain / f"erasure-{number:08d}.json.sig").write_bytes(signed.signature)
    (tmp_path / "factory.pem").write_text(SIGNER.public.pem)
    (tmp_path / "other.pem").write_text(OTHER.public.pem)
    os.close(os.open(tmp_path / "private.pem", os.O_CREAT | os.O_WRONLY, 0o600))
    (tmp_path / "private.pem").write_bytes(PRIVATE_PEM)
    return tmp_path


def verify(folder: Path, number: int, *options: str, key: str = "factory.pem") -> int:
    file = folder / "chain" / f"erasure-{number:08d}.json"
    return main(["erase", "verify-certificate", str(file), "--key", str(folder / key), *options])


def test_valid_certificates(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(folder, 1) == 0
    assert verify(folder, 2, "--previous", str(folder / "chain/erasure-00000001.json")) == 0
    assert verify(folder, 2, "--chain", str(folder / "chain")) == 0
    shown = capsys.readouterr().out
    assert "verification: full read-back" in shown
    assert "  UEFI variables: done; 3 deleted\n" in shown
    assert verify(folder, 2, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["valid"]
    assert [document[key] for key in ("sequence", "verdict", "achieved")] == [2, "erased", "clear"]
    assert document["options"] == [{"name": "UEFI variables", "status": "done", "detail": "3 deleted"}]


def test_certificates_that_are_not_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(folder, 1, key="other.pem") == 1
    assert verify(folder, 1, "--previous", str(folder / "chain/erasure-00000002.json")) == 1
    second = folder / "chain/erasure-00000002.json"
    second.write_bytes(second.read_bytes().replace(b"A. Person", b"B. Person"))
    assert verify(folder, 1, "--chain", str(folder / "chain")) == 1
    capsys.readouterr()
    assert verify(folder, 2, "--json") == 1
    shown = json.loads(capsys.readouterr().out)
    assert (shown["valid"], shown["sequence"], shown["verdict"]) == (False, None, None)
    assert "the signature is not that of the key" in shown["problems"][0]["message"]


def test_a_certificate_that_is_not_in_the_chain(folder: Path) -> None:
    (other,) = signed_chain(facts_of())
    (folder / "chain2").mkdir()
    for suffix, content in ((".json", other.certificate), (".json.sig", other.signature)):
        (folder / "chain2" / f"erasure-00000001{suffix}").write_bytes(content)
    assert verify(folder, 1, "--chain", str(folder / "chain2")) == 1


def test_wrong_usage_and_missing_files(folder: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        verify(folder, 1, "--previous", "x", "--chain", "y")
    assert ended.value.code == 2
    for key in ("private.pem", "chain/erasure-00000001.json"):
        with pytest.raises(SystemExit) as ended:
            verify(folder, 1, key=key)
        assert ended.value.code == 2
    assert verify(folder, 9) == 3
    assert verify(folder, 1, key="none.pem") == 3
    (folder / "chain/erasure-00000001.json.sig").unlink()
    assert verify(folder, 1) == 3


def test_the_page_of_a_certificate_is_written_only_if_that_is_valid(folder: Path) -> None:
    file, page = folder / "chain/erasure-00000002.json", folder / "page.html"
    words = ["erase", "certificate-page", str(file), "--output", str(page), "--key"]
    assert main([*words, str(folder / "other.pem")]) == 1
    assert not page.exists()
    assert main([*words, str(folder / "factory.pem")]) == 0
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_a_bench_machine_certifies_with_its_own_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, copy = folder / "report.json", folder / "copy.json"
    report.write_bytes(REPORTS[3])
    words = ["erase", "certify", str(report), "--key", str(folder / "private.pem"), "--chain", str(folder / "chain")]
    for _ in range(2):  # the same report has the same certificate
        assert main([*words, "--output", str(copy), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["sequence"] == 3
    assert verify(folder, 3, "--chain", str(folder / "chain")) == 0
    assert copy.read_bytes() == (folder / "chain/erasure-00000003.json").read_bytes()
    report.write_bytes(b"{}")
    assert main(words) == 1
    for options in ([], ["--key", "x"], ["--server", "http://x"], ["--server", "http://x", "--key", "x"]):
        with pytest.raises(SystemExit) as ended:
            main(["erase", "certify", str(report), *options])
        assert ended.value.code == 2


@pytest.mark.parametrize("output", ["chain/x.json", "chain/../chain/erasure-00000003.json", "link/x.json"])
def test_a_copy_in_the_chain_folder_is_refused_before_anything_is_written(folder: Path, output: str) -> None:
    (folder / "link").symlink_to("chain")
    (folder / "report.json").write_bytes(REPORTS[3])
    before = sorted(os.listdir(folder / "chain"))
    words = ["--key", str(folder / "private.pem"), "--chain", str(folder / "chain"), "--output", str(folder / output)]
    with pytest.raises(SystemExit) as ended:
        main(["erase", "certify", str(folder / "report.json"), *words])
    assert ended.value.code == 2
    assert sorted(os.listdir(folder / "chain")) == before
    assert verify(folder, 2, "--chain", str(folder / "chain")) == 0


def test_a_private_key_must_be_private(folder: Path) -> None:
    key = folder / "private.pem"
    key.chmod(0o640)
    with pytest.raises(BadInput, match="chmod 600"):
        signer_in(str(key))
    with pytest.raises(DeviceMissing):
        signer_in(str(folder / "none.pem"))


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_a_public_key_in_place_of_the_private_one_is_named_as_such(folder: Path, mode: int) -> None:
    (folder / "factory.pem").chmod(mode)
    with pytest.raises(BadInput, match=r"factory\.pem: holds a public key: give the private one$"):
        signer_in(str(folder / "factory.pem"))


def certify(folder: Path, report: str, *options: str, key: str = "private.pem") -> int:
    words = ["--key", str(folder / key), "--chain", str(folder / "chain"), *options]
    return main(["erase", "certify", str(folder / report), *words])


def test_a_report_is_not_mistaken_for_a_certificate_nor_the_reverse(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "report.json").write_bytes(REPORTS[3])
    key = ("--key", str(folder / "factory.pem"))
    assert main(["erase", "verify-certificate", str(folder / "report.json"), *key]) == 1
    page = ("--output", str(folder / "page.html"))
    assert main(["erase", "certificate-page", str(folder / "report.json"), *key, *page]) == 1
    assert capsys.readouterr().err.count("report.json: is an erase report, not a certificate: certify it first") == 2
    assert certify(folder, "chain/erasure-00000001.json") == 1
    assert "erasure-00000001.json: is an erase certificate already" in capsys.readouterr().err
    (folder / "chain/report.json").write_bytes(REPORTS[3])
    assert verify(folder, 1, "--chain", str(folder / "chain")) == 1
    assert "chain/report.json: is an erase report" in capsys.readouterr().err


def test_the_chain_of_another_key_is_one_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signer_at(str(folder / "new.pem"))
    (folder / "report.json").write_bytes(REPORTS[3])
    assert certify(folder, "report.json", key="new.pem") == 1
    shown = capsys.readouterr().err
    assert f"this chain is that of another key: it states {SIGNER.public.key_id}" in shown
    assert "more)" not in shown


def test_a_server_cannot_register_a_machine_without_serial_number(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unnamed = replace(facts_of(OVERWRITTEN), unit=replace(UNIT, serial=""))
    (folder / "report.json").write_bytes(report_bytes(make_report(unnamed)))
    words = ["erase", "certify", str(folder / "report.json"), "--output", str(folder / "copy.json")]
    assert main([*words, "--server", "http://[::1]:9/"]) == 1
    assert "report.json: states no serial number of the machine: a server cannot" in capsys.readouterr().err
    assert certify(folder, "report.json") == 0


def test_what_has_no_serial_number_is_named_otherwise(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk = replace(OVERWRITTEN.disk, vendor="", model="", serial="")
    facts = replace(facts_of(replace(OVERWRITTEN, disk=disk)), unit=replace(UNIT, serial=""))
    (folder / "report.json").write_bytes(report_bytes(make_report(facts)))
    assert certify(folder, "report.json") == 0
    capsys.readouterr()
    assert verify(folder, 3) == 0
    _, machine, named, _options = capsys.readouterr().out.splitlines()
    assert machine.startswith("machine without serial number: erased;")
    assert named.startswith("  /dev/sda: erased, clear by")


def test_an_error_of_the_page_names_the_file_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "chain/erasure-00000002.json"
    key, page = ("--key", str(folder / "other.pem")), ("--output", str(folder / "page.html"))
    assert main(["erase", "certificate-page", str(file), *key, *page]) == 1
    assert f"no page is written: {file}: the signature is not" in capsys.readouterr().err


def test_another_issuer_for_a_certified_report_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "report.json").write_bytes(REPORTS[3])
    for _ in range(2):
        assert certify(folder, "report.json", "--issuer", "Bench\t1") == 0
    assert certify(folder, "report.json") == 0
    assert certify(folder, "report.json", "--issuer", "Bench 2", "--output", str(folder / "copy.json")) == 1
    assert "has the certificate 3 of Bench" in capsys.readouterr().err
    assert not (folder / "copy.json").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--server", "http://x"], "name the file for the certificate with --output"),
        (["--server", "http://x", "--output", "y", "--issuer", "z"], "the server states its own name as issuer"),
        (["--key", "x", "--chain", "y", "--issuer", " "], "the name is empty"),
    ],
)
def test_a_refused_option_of_certify_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["erase", "certify", str(folder / "report.json"), *options])
    assert ended.value.code == 2
    assert sentence in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_several_registrations_at_once_make_one_chain(tmp_path: Path) -> None:
    def register(number: int) -> bytes:
        registry = FolderRegistry(LinuxFiles(), str(tmp_path / "chain"), SIGNER, "bench", lambda: NOW_NS)
        return registry.register(REPORTS[number % 4]).certificate

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(register, range(12)))
    chain = read_chain(LinuxFiles(), str(tmp_path / "chain"))
    assert check_chain(chain, SIGNER.public) == ()
    assert [parse_certificate(one.certificate).chain.sequence for one in chain.values()] == [1, 2, 3, 4]
    assert set(found) == {one.certificate for one in chain.values()}


def test_a_folder_is_made_by_several_programs_at_once(tmp_path: Path) -> None:
    owner = Owner(os.geteuid(), os.getegid())
    with ThreadPoolExecutor(8) as pool:
        for number in range(50):
            folder = str(tmp_path / str(number) / "chain")
            list(pool.map(lambda path: LinuxFiles().make_folder(path, owner=owner), [folder] * 8))
            assert os.path.isdir(folder)


def test_a_chain_that_is_not_valid_is_not_continued(folder: Path) -> None:
    chain = folder / "chain"
    (chain / "erasure-00000001.json").write_bytes(b"{}")
    before = sorted(os.listdir(chain))
    with pytest.raises(BadInput, match="signature"):
        FolderRegistry(LinuxFiles(), str(chain), SIGNER, "bench", lambda: NOW_NS).register(REPORTS[0])
    assert [name for name in sorted(os.listdir(chain)) if name != ".lock"] == before


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = str(tmp_path / "key.pem")
    with ThreadPoolExecutor(8) as pool:
        made = {signer.public.key_id for signer in pool.map(signer_at, [path] * 8)}
    assert made == {signer_in(path).public.key_id}
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["key.pem"]
    assert public_key("x", signer_in(path).public.pem.encode()).key_id in made
