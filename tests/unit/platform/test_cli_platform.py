"""``gprov smbios``, ``gprov identify`` and ``gprov appliance``: outputs and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gprov.adapters.fake.dmi.tables import FakeSystem, build_dump, build_table
from gprov.apps.host.cli.main import main
from gprov.domain.formats.smbios.dmidecode_keywords import KEYWORDS
from gprov.domain.mfg.smbios_report import raw_text

QEMU = str(Path(__file__).parent / "data/qemu-pc-7.2.bin")


def written(folder: Path, content: bytes | str) -> str:
    path = folder / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_smbios_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smbios", "--file", QEMU, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert tuple(document["keywords"]) == KEYWORDS
    assert document["keywords"]["baseboard-serial-number"] == "BOARD7"
    assert document["keywords"]["processor-version"] == "pc-i440fx-7.2\npc-i440fx-7.2"
    assert document["keywords"]["firmware-revision"] == ""
    assert document["version"] == "2.8"
    board = document["structures"][2]
    assert (board["type"], board["handle"], board["strings"][3]) == (2, 0x200, "BOARD7")
    assert board["fields"]["Product Name"] == "mfg_test_ipmi"
    assert bytes.fromhex(board["formatted"])[0] == 2


def test_smbios_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smbios", "--file", QEMU]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "system-serial-number: QEMU01234" in lines
    assert "Handle 0x0200, type 2, 15 bytes" in lines
    assert "\tProduct Name: mfg_test_ipmi" in lines


def test_raw_tables_and_dumps_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smbios", "--file", written(tmp_path, build_table())]) == 0
    raw = capsys.readouterr().out
    assert main(["smbios", "--file", written(tmp_path, build_dump(build_table()))]) == 0
    assert capsys.readouterr().out == raw


def test_a_table_as_a_unit_reports_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "smbios.b64").write_text(raw_text(build_table()))
    (tmp_path / "DMI").write_bytes(build_table())
    shown = []
    for name in ("DMI", "smbios.b64"):
        assert main(["smbios", "--file", str(tmp_path / name)]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != ""


def test_a_damaged_table_is_shown_as_far_as_it_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smbios", "--file", written(tmp_path, build_table()[:150])]) == 1
    shown = capsys.readouterr()
    assert "system-manufacturer: GPROV_QEMU" in shown.out
    assert "offset" in shown.err


def test_what_is_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smbios", "--file", written(tmp_path, b"nothing")]) == 1
    assert main(["smbios", "--file", str(tmp_path / "missing")]) == 3
    assert main(["smbios", "--file", str(tmp_path)]) == 3
    assert capsys.readouterr().out == ""


def test_identify(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identify", "--smbios", QEMU, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "code_name": "QEMU-mfg-test-ipmi",
        "family": "qemu",
        "manufacturer": "GPROV_QEMU",
        "product": "mfg_test_ipmi",
        "sku": "Not Specified",
        "serial": "QEMU01234",
        "by_fallback": False,
    }
    assert main(["identify", "--smbios", QEMU]) == 0
    assert capsys.readouterr().out.startswith("QEMU-mfg-test-ipmi: GPROV_QEMU mfg_test_ipmi")


def test_identify_an_unknown_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, build_table(FakeSystem(manufacturer="Another maker", product="Something")))
    assert main(["identify", "--smbios", file]) == 1
    shown = capsys.readouterr().err
    assert "no platform matches base board 'Another maker' 'Something'" in shown
    assert "QEMU-mfg-test: expected 'GPROV_QEMU' 'mfg_test'" in shown
    assert main(["identify", "--smbios", file, "--fallback", "QEMU-mfg-test"]) == 0
    assert "(by fallback)" in capsys.readouterr().out
    assert main(["identify", "--smbios", file, "--fallback", "nonsense"]) == 1


def test_identify_by_a_damaged_table_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, build_table()[:-6])  # without its last structure, the end mark
    assert main(["identify", "--smbios", file]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("QEMU-mfg-test: ")
    assert err.startswith(f"gprov: {file}: offset ")


def test_the_built_in_table_is_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["appliance", "default"]) == 0
    file = written(tmp_path, capsys.readouterr().out)
    assert main(["appliance", "check", file]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{file}: 9 platform(s), no problems"
    assert main(["identify", "--smbios", QEMU, "--platforms", file]) == 0


def test_platforms_whose_units_would_be_refused_are_warned_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["appliance", "default"]) == 0
    [first, *_] = json.loads(capsys.readouterr().out)["Variants"]
    alone = first | {"NumDataDisks": 2, "DmiProdName": "two"}
    file = tmp_path / "table.json"
    file.write_text(json.dumps({"Variants": [alone, first | {"RecoveryMedia": {"LocateRDMethod": "9p"}}]}))
    assert main(["appliance", "check", str(file), "--json"]) == 0
    found = {row["place"]: row["message"] for row in json.loads(capsys.readouterr().out)["warnings"]}
    assert set(found) == {"$.Variants[0]", "$.Variants[1]"}
    assert found["$.Variants[0]"] == (
        "no unit can be provisioned: QEMU-mfg-test: 2 data disks, but no RAID level for them"
    )
    assert "9p" in found["$.Variants[1]"]


def test_every_problem_of_a_table_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["appliance", "default"])
    table = json.loads(capsys.readouterr().out)
    table["Variants"][0]["NumDataDisks"] = 0
    table["Variants"][1]["DmiProdModelRegex"] = "("
    file = written(tmp_path, json.dumps(table))
    assert main(["appliance", "check", file]) == 1
    places = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert places == ["$.Variants[0].NumDataDisks", "$.Variants[1].DmiProdModelRegex"]
    assert main(["identify", "--smbios", QEMU, "--platforms", file]) == 1


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    assert main(["appliance", "check", written(tmp_path, "{")]) == 1
    assert main(["appliance", "check", str(tmp_path / "missing")]) == 3
    assert main(["identify", "--smbios", QEMU, "--platforms", str(tmp_path / "missing")]) == 3
