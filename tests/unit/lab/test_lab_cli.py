"""``gprov lab``, as far as it gets without a machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gprov.apps.host.cli.main import main


def test_a_folder_without_a_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("boot", "restore", "shell"):
        assert main(["lab", action, "--workdir", str(tmp_path)]) == 3
        assert "holds no unit; `gprov lab provision` makes one" in capsys.readouterr().err


def test_a_damaged_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "unit.json").write_text('{"serial": 7}')
    assert main(["lab", "boot", "--workdir", str(tmp_path)]) == 1
    assert "$.serial" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["lab", "boot"],
        ["lab", "fly", "--workdir", "x"],
        ["lab", "boot", "--workdir", "x", "--firmware", "coreboot"],
        ["lab", "provision", "--workdir", "x", "--serial", " "],
        ["lab", "cuts", "--workdir", "x", "--count", "0"],
        ["lab", "cuts", "--workdir", "x", "--first", "-1"],
        ["lab", "cuts", "--workdir", "x", "--jobs", "many"],
        ["lab", "cuts", "--workdir", "x", "--stage", "boot"],
        ["lab", "cuts", "--workdir", "x", "--netboot"],
        ["lab", "cuts", "--workdir", "x", "--image", "x"],
        ["lab", "provision", "--workdir", "x", "--lcd", "633"],
        ["lab", "boot", "--workdir", "x", "--lcd", "631"],
        ["lab", "boot", "--workdir", "x", "--bmc"],
        ["lab", "provision", "--workdir", "x", "--controller", "floppy"],
        ["lab", "provision", "--workdir", "x", "--nic", "ne2k_isa"],
        ["lab", "cuts", "--workdir", "x", "--controller", "nvme"],
    ],
)
def test_usage(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2


def test_an_unknown_accelerator_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = os.environ.pop("GPROV_ACCEL", None)
    os.environ["GPROV_ACCEL"] = "hvf"
    try:
        assert main(["lab", "provision", "--workdir", str(tmp_path / "unit")]) == 2
    finally:
        del os.environ["GPROV_ACCEL"]
        if before is not None:
            os.environ["GPROV_ACCEL"] = before
    assert capsys.readouterr().err == "gprov lab: GPROV_ACCEL: must be tcg or kvm, is 'hvf'\n"
    assert not (tmp_path / "unit").exists()


def test_cuts_of_unsupported_units_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "cuts", "--workdir", str(tmp_path), "--stage", "provision", "--look"]) == 2
    assert main(["lab", "cuts", "--workdir", str(tmp_path), "--disks", "nvme"]) == 1
    assert "forced unit access cannot be recorded" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_units_that_cannot_be_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options, reason in (
        (["--recovery-controller", "megasas"], "megasas: OVMF cannot start from it"),
        (["--controller", "uas"], "uas: such disks are removable"),
        (["--nic", "tulip", "--netboot"], "tulip: has no option ROM"),
        (["--firmware", "bios", "--recovery-controller", "sdhci"], "only beside data disks on nvme"),
        (["--recovery-controller", "nvme", "--bmc"], "no platform like QEMU-mfg-test-internal has one"),
    ):
        assert main(["lab", "lifecycle", "--workdir", str(tmp_path), *options]) == 1
        assert reason in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_built_files_belong_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "provision", "--workdir", str(tmp_path), "--kernel", "k"]) == 2
    assert "belong together" in capsys.readouterr().err


def test_built_files_that_are_not_there_leave_the_unit_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "unit.json").write_text("a unit")
    for name in ("kernel", "image"):
        (tmp_path / name).write_bytes(b"")
    given = ["--kernel", str(tmp_path / "kernel"), "--provision-kernel", "nope", "--image", str(tmp_path / "image")]
    assert main(["lab", "provision", "--workdir", str(tmp_path), *given]) == 3
    assert "nope: no such file" in capsys.readouterr().err
    assert (tmp_path / "unit.json").read_text() == "a unit"
