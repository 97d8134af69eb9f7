"""What ``--json`` prints fits the schema that is made of the table in docs/reference/cli.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.apps.host.cli.commands import COMMANDS
from gprov.apps.host.cli.main import main
from gprov.domain.erase.report_making import make_report
from gprov.domain.erase.report_text import report_bytes
from tests.unit.erase.keys import PRIVATE_PEM, SIGNER
from tests.unit.erase.outcomes import OVERWRITTEN, facts_of
from tests.unit.image.test_cli_image import kernel
from tests.unit.keys.full_manuf import full_manuf
from tests.unit.keys.full_platform import TABLE
from tools.reference.commands import actions
from tools.schemas.outputs import output_schema, outputs

SCHEMA = output_schema()
BY_ACTION = {action: output.schema for output in outputs() for action in output.actions}
# They print text for other programs, run until they are ended, or print what another row describes.
OTHERS = {"lab shell", "lcd simulate", "server run", "server dnsmasq", "manuf qa-page"}


def printed(action: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> object:
    """Run it; what it printed must fit."""
    main([*action.split(), *words, "--json"])
    document: object = json.loads(capsys.readouterr().out)
    Draft202012Validator(BY_ACTION[action]).validate(document)
    return document


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert len(SCHEMA["$defs"]) > 50  # type: ignore[arg-type]


def test_every_action_with_json_is_described() -> None:
    known = {action.partition(" --")[0] for action in BY_ACTION}
    with_json = {
        " ".join(words)
        for name in COMMANDS
        for words, command in actions(name)
        if any("--json" in option.opts for option in command.params)
    }
    # Their rows name another row, or say that nothing is printed.
    assert with_json - known <= SAME
    assert known <= with_json | {"manuf entry"}


SAME = {
    *(f"lab {stage}" for stage in ("lifecycle", "provision", "restore", "boot")),
    *(f"server account {action}" for action in ("add", "remove", "password", "role")),
    *(f"server certificate {action}" for action in ("renew", "show")),
}


def test_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "WIDGET.LNX.SHINY.2026-01-15.10.upd"
    (tmp_path / name).touch()
    printed("image name", [name, "x"], capsys)
    printed("image list", [str(tmp_path)], capsys)
    printed("image verify", [str(tmp_path / name)], capsys)


def test_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manuf, table = tmp_path / "manufData.json", tmp_path / "appliance.json"
    manuf.write_text(json.dumps(full_manuf()))
    table.write_text(json.dumps(TABLE))
    printed("appliance check", [str(table)], capsys)
    printed("manuf check", [str(manuf)], capsys)
    printed("manuf check", [str(table)], capsys)
    table.write_text("{}")
    printed("appliance check", [str(table)], capsys)


def test_simulation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed("simulate lifecycle", [], capsys)
    script = tmp_path / "script"
    script.write_text("unit firmware=uefi disks=sata seed=0\nprovision\n")
    printed("simulate replay", [str(script)], capsys)


def path_in(document: object) -> str:
    assert isinstance(document, dict)
    return str(document["path"])


def test_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [str(tmp_path / name) for name in ("root1", "root2", "signer", "other")]
    for name in names:
        printed("keys new", [name, "--no-passphrase"], capsys)
    first, second, signer, other = (f"{name}.pub" for name in names)
    printed("keys show", [first, second], capsys)
    statement, chain = str(tmp_path / "statement"), str(tmp_path / "trust.chain")
    words = ["--root", first, "--root", second, "--signer", signer, "--output", statement]
    printed("keys new-chain", words, capsys)
    signatures = [path_in(printed("keys sign", [statement, "--key", f"{name}.key"], capsys)) for name in names[:2]]
    printed("keys join", [statement, *signatures, "--output", chain], capsys)
    printed("keys check", [chain], capsys)
    words = ["--chain", chain, "--signer", other, "--output", f"{statement}2"]
    printed("keys add-signer", words, capsys)


def test_servers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, key = str(tmp_path / "data"), str(tmp_path / "server.key")
    words = [data, "--interface", "eth1", "--server", "http://10.1.0.1:8901", "--key-file", key, "--isolated"]
    words += ["--range", "10.1.0.50,10.1.0.99"]
    printed("server init", words, capsys)
    printed("server check", ["--data", data, "--key-file", key, "--quick", "--no-network"], capsys)
    printed("server credentials policy", ["--data", data], capsys)
    printed("server account list", ["--data", data, "--key-file", key], capsys)
    printed("server audit", ["--data", data], capsys)
    printed("server audit", ["--data", data, "--key-file", key, "--verify"], capsys)
    printed("server key", ["--data", data], capsys)


def test_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "DMI"
    table.write_bytes(build_table(FakeSystem(serial="SN-1", product="mfg_test")))
    printed("smbios", ["--file", str(table)], capsys)
    printed("identify", ["--smbios", str(table)], capsys)


def test_kernels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = []
    for number in (7, 8):
        path = tmp_path / f"kernel{number}"
        path.write_bytes(kernel(f"6.1.0 (builder@host) #{number} SMP PREEMPT_DYNAMIC 2026-01-15"))
        paths.append(str(path))
    printed("kernel info", paths[:1], capsys)
    printed("kernel newest", paths, capsys)
    printed("kernel newest", paths[:1] * 2, capsys)


def test_certificates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, chain, key = tmp_path / "report.json", str(tmp_path / "chain"), tmp_path / "key.pem"
    report.write_bytes(report_bytes(make_report(facts_of(OVERWRITTEN))))
    key.write_bytes(PRIVATE_PEM)
    key.chmod(0o600)
    public = tmp_path / "key.pub"
    public.write_text(SIGNER.public.pem)
    document = printed("erase certify", [str(report), "--key", str(key), "--chain", chain], capsys)
    assert isinstance(document, dict)
    certificate = next(path for path in document["paths"] if path.endswith(".json"))
    printed("erase verify-certificate", [certificate, "--key", str(public)], capsys)
    page = ["--key", str(public), "--output", str(tmp_path / "page.html")]
    printed("erase certificate-page", [certificate, *page], capsys)
