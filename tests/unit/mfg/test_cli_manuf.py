"""``gprov manuf check`` on files: outputs and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gprov.apps.host.cli.main import main

IMAGE = "WIDGET.LNX.SHINY.2024-02-29.1.upd"
DOCUMENT = {
    "Files": [
        {"Src": f"http://joe:secret@h/{IMAGE}", "Sha256": "a" * 64},
        {"Src": "http://h/norm_boot", "Sha1": "b" * 40},
    ],
    "LogEndpoint": "http://h:1/",
    "ValidationData": [
        {
            "DevCodeName": "QEMU-mfg-test",
            "Recovery": {"Size": 1 << 30},
            "MainDiskConfigs": [[{"Size": 20 << 30}]],
        }
    ],
}


def written(folder: Path, content: object) -> str:
    path = folder / "manufData.json"
    path.write_text(json.dumps(content))
    return str(path)


def test_a_good_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, DOCUMENT)
    assert main(["manuf", "check", path]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.splitlines() == [
        f"http://***@h/{IMAGE} -> Image/{IMAGE}",
        "http://h/norm_boot -> ESP/norm_boot",
        "QEMU-mfg-test: RECOVERY 1 x 1073741824 bytes (any model); 1 disk set(s); 0 step(s)",
        "warning: $.Files[1].Sha1: SHA-1 is not collision resistant: add Sha256",
        f"{path}: no problems, 1 warning(s)",
    ]


def test_what_was_understood_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, {**DOCUMENT, "LogEndpoint": "10.0.2.2:65432", "CredentialEndpoint": "pblog"})
    assert main(["manuf", "check", path]) == 0
    assert capsys.readouterr().out.splitlines()[3:5] == [
        "$.LogEndpoint: 10.0.2.2:65432 is read as http://10.0.2.2:65432/",
        "$.CredentialEndpoint: pblog is read as the server of LogEndpoint",
    ]


def test_every_problem_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, {**DOCUMENT, "LogEndpoint": "h", "ValidationData": [{}]})
    assert main(["manuf", "check", path]) == 1
    shown = capsys.readouterr()
    assert [line.split(": ")[0] for line in shown.out.splitlines()] == [
        "$.ValidationData[0].Recovery",
        "$.ValidationData[0].DevCodeName",
        "$.ValidationData[0].MainDiskConfigs",
        "$.LogEndpoint",
    ]
    assert shown.err == f"{path}: 4 problem(s)\n"


def test_code_names_of_a_platform_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["appliance", "default"]) == 0
    table = tmp_path / "appliance.json"
    table.write_text(capsys.readouterr().out)
    assert main(["manuf", "check", written(tmp_path, DOCUMENT), "--appliance", str(table)]) == 0
    other = json.loads(json.dumps(DOCUMENT).replace("QEMU-mfg-test", "UNKNOWN"))
    assert main(["manuf", "check", written(tmp_path, other), "--appliance", str(table)]) == 1
    assert "$.ValidationData[0].DevCodeName: UNKNOWN is not in the platform table" in capsys.readouterr().out


def test_names_of_another_brand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = json.loads(json.dumps(DOCUMENT).replace("WIDGET.LNX.SHINY.", "A.B.C.").replace("norm_boot", "vmlinuz"))
    path = written(tmp_path, mine)
    assert main(["manuf", "check", path]) == 1
    assert main(["manuf", "check", path, "--image-prefix", "A.B.C.", "--boot-kernel", "vmlinuz"]) == 0
    assert "ESP/vmlinuz" in capsys.readouterr().out


def test_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manuf", "check", str(tmp_path / "none")]) == 3
    assert "none: no such file" in capsys.readouterr().err
    assert main(["manuf", "check", str(tmp_path)]) == 3


def test_no_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x"
    path.write_text("{'a': 1}")
    assert main(["manuf", "check", str(path)]) == 1
    assert capsys.readouterr().out.startswith("line 1 column 2: is not JSON")
