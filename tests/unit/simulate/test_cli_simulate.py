"""``gprov simulate lifecycle`` prints the whole life of a unit, the same for the same seed."""

from __future__ import annotations

import pytest

from gprov.apps.host.cli.main import main
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    try:
        status = main(["simulate", "lifecycle", *arguments])
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    out, err = capsys.readouterr()
    assert err == ""
    return status, out


def test_lifecycle_prints_the_operations_and_events_of_all_three_starts(capsys: pytest.CaptureFixture[str]) -> None:
    status, out = run(capsys)
    assert status == 0
    headings = [line for line in out.splitlines() if line.startswith("== ") and ":" not in line]
    assert headings == ["== provision", "== restore", "== boot"]
    in_order = (
        "MSG Provisioning",
        "state MFG_STARTED",
        "start: clear the first",
        "start: write a GPT partition table to /dev/sdb",
        f"start: fetch http://factory.invalid/files/{IMAGE_NAME}",
        "start: set boot entries",
        "state MFG_SUCCEEDED",
        "== provision: reboot",
        "factory restore:",
        "state FR_STARTED",
        "start: write a GPT partition table to /dev/sda",
        "start: unpack /mnt/RECOVERY/Image/",
        "start: set flag file /mnt/PRIMARY/boot.normal",
        "state FR_SUCCEEDED",
        "== restore: reboot",
        "starting the system on /dev/sda1",
        "milestone handover",
        "== boot: switched root",
    )
    position = 0
    for text in in_order:
        assert text in out[position:], text
        position = out.index(text, position)


def test_every_operation_that_starts_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys)
    started = [line.split(" start: ", 1)[1] for line in out.splitlines() if " start: " in line]
    done = [line.split(": ", 1)[1] for line in out.splitlines() if " done in " in line]
    assert started == done
    assert len(started) > 50
    assert " ERROR " not in out


@pytest.mark.parametrize(("disks", "level"), [("raid1", 1), ("raid5", 5), ("raid10", 10)])
def test_an_array_is_made_and_started(capsys: pytest.CaptureFixture[str], disks: str, level: int) -> None:
    status, out = run(capsys, "--disks", disks)
    assert status == 0
    assert f"make RAID {level} array gp-sim0001:PRIMARY" in out
    assert f"starting array gp-sim0001:PRIMARY (RAID {level}," in out


def test_the_same_seed_gives_the_same_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--seed", "7") == run(capsys, "--seed", "7")


def test_the_output_has_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(capsys, "--seed", "3")
    assert SERIAL in out
    for secret in (f"os-{SERIAL}", f"bios-{SERIAL}", f"ipmi-{SERIAL}", "$fake$"):
        assert secret not in out


def test_a_seed_must_be_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["simulate", "lifecycle", "--seed", "x"])
    assert stopped.value.code == 2


def test_a_platform_with_a_management_controller_gets_its_account(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "lifecycle", "--platform", "QEMU-mfg-test-ipmi"]) == 0
    lines = capsys.readouterr().out
    assert "BMC: channel 1: MAC 56:78:90:00:ff:01" in lines
    assert "BMC: password of user 3 (admin) set and tested" in lines
    assert f"ipmi-{SERIAL}" not in lines
