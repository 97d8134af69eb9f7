"""Units whose PRIMARY is a software RAID array, on real firmware and md, with all of their disks and without."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import STARTED
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.apps.host.lab.stage import INIT_STARTED, Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import partitions, raw_view
from gprov.domain.boot.firmware import FirmwareKind

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(shutil.which("mdadm") is None, reason="needs mdadm"),
]

RunStage = Callable[..., StageResult]

RAID_TYPE = "A19D880F-05FC-4D3B-A006-743F0F84911E"
INIT_FAILED = "INIT_FAILED"
# The root is waited for for 120 s; whatever else is done on the way is emulated.
GIVEN_UP = Expectation(Ending.TIMEOUT, (INIT_STARTED, INIT_FAILED), 1.0)
GIVE_UP_SECONDS = 300.0


@pytest.fixture(scope="module")
def mirrored(small_prepared_as: Callable[..., VirtualUnit]) -> VirtualUnit:
    return small_prepared_as(unit_spec("smallraid1"))


@pytest.fixture
def unit(container: LabContainer, mirrored: VirtualUnit, tmp_path: Path) -> Iterator[VirtualUnit]:
    yield mirrored.overlay(str(tmp_path / "unit"), container.processes())
    shutil.rmtree(tmp_path / "unit")


def tool(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{argv}: {done.returncode} {done.stderr}"
    return done.stdout


@contextmanager
def loop(view: str, offset: int) -> Iterator[str]:
    node = tool("losetup", "--find", "--show", "--read-only", "--offset", str(offset), view).strip()
    try:
        yield node
    finally:
        tool("losetup", "--detach", node)


def without(unit: VirtualUnit, *pulled: int) -> Machine:
    machine = unit.machine()
    names = [f"primary{index}" for index in pulled]
    return replace(machine, disks=tuple(disk for disk in machine.disks if disk.name not in names))


def console(result: StageResult) -> str:
    return Path(result.serial_log).read_text(errors="replace")


def examined(unit: VirtualUnit, index: int) -> dict[str, str]:
    """What mdadm here says of a member's superblock."""
    processes = SystemProcesses()
    with raw_view(processes, unit.primary(index)) as view:
        start = partitions(processes, view)[-1].start
        with loop(view, start) as node:
            text = tool("mdadm", "--examine", node)
    return dict(re.findall(r"^\s*(.+?) : (.*)$", text, re.MULTILINE))


def slots(found: Sequence[dict[str, str]]) -> list[int]:
    """Which slot each disk has: that of its name when the array was made. Linux gives names in the order in which the
    disks answer, which is not always the same."""
    return [int(said["Device Role"].removeprefix("Active device ")) for said in found]


@pytest.mark.nightly
def test_raid_5_lives_and_boots_without_one_disk(
    container: LabContainer, small_prepared_as: Callable[..., VirtualUnit], tmp_path: Path, run_stage: RunStage
) -> None:
    """Its first synchronisation was cut short by switching it off: it starts all the same."""
    prepared = small_prepared_as(unit_spec("raid5"))
    found = [examined(prepared, index) for index in range(3)]
    assert sorted(slots(found)) == [0, 1, 2]
    assert {(said["Raid Level"], said["Raid Devices"], said["Array State"][:3]) for said in found} == {
        ("raid5", "3", "AAA")
    }
    unit = prepared.overlay(str(tmp_path / "unit"), container.processes())
    result = run_stage("degraded", unit, STARTED, without(unit, 1))
    assert re.search(rf"is degraded; disk missing: slot {slots(found)[1]} \([^)]*LABDISK0001", console(result))
    shutil.rmtree(tmp_path / "unit")


def test_both_disks_hold_the_system_as_members_of_one_array(mirrored: VirtualUnit) -> None:
    processes = SystemProcesses()
    found = [examined(mirrored, index) for index in (0, 1)]
    assert sorted(slots(found)) == [0, 1]
    for said in found:
        assert (said["Version"], said["Raid Level"], said["Raid Devices"]) == ("1.2", "raid1", "2")
        assert said["Name"].split()[0] == "gp-lab0001:PRIMARY"
        assert said["Array State"].startswith("AA")
        assert "Internal Bitmap" in said
    assert found[0]["Array UUID"] == found[1]["Array UUID"]
    for index, said in enumerate(found):
        with raw_view(processes, mirrored.primary(index)) as view:
            table = json.loads(tool("sfdisk", "--json", view))["partitiontable"]
            assert table["label"] == "gpt"
            assert [part["type"] for part in table["partitions"]] == [RAID_TYPE]
            start = table["partitions"][0]["start"] + int(said["Data Offset"].split()[0])
            system = f"{view}?offset={512 * start}"
            assert "Filesystem volume name:   PRIMARY" in tool("debugfs", "-R", "show_super_stats -h", system)
            assert "boot.normal" in tool("debugfs", "-R", "ls -p /", system)
            config = tool("debugfs", "-R", "cat /etc/mdadm/mdadm.conf", system)
            assert f"UUID={said['Array UUID']}" in config
            record = json.loads(tool("debugfs", "-R", "cat /etc/provisioning/array.json", system))
            disks = [member["Disk"].rpartition("_")[2] for member in record["Members"]]
            assert [disks[slot] for slot in slots(found)] == ["LABDISK0000", "LABDISK0001"]


@pytest.mark.nightly
@pytest.mark.parametrize("pulled", [0, 1])
def test_without_either_disk_the_unit_boots_and_reports_the_missing_one(
    unit: VirtualUnit, run_stage: RunStage, pulled: int
) -> None:
    slot = slots([examined(unit, pulled)])[0]
    result = run_stage("degraded", unit, STARTED, without(unit, pulled))
    assert re.search(rf"is degraded; disk missing: slot {slot} \([^)]*LABDISK000{pulled}", console(result))
    assert not [each.name for each in result.milestones if each.name.startswith("FR_")]
    started, handover = result.uptime_at(INIT_STARTED), result.uptime_at("handover")
    assert started is not None
    assert handover is not None
    assert handover - started > 25  # the other one was waited for
    assert examined(unit, 1 - pulled)["Array State"].startswith(".A" if slot == 0 else "A.")

    again = run_stage("degraded-again", unit, STARTED, without(unit, pulled))
    started, handover = again.uptime_at(INIT_STARTED), again.uptime_at("handover")
    assert started is not None
    assert handover is not None
    assert handover - started < 15  # known by now

    # It has missed changes: it is told of, and left out.
    result = run_stage("back", unit, STARTED)
    assert f"LABDISK000{pulled}" in re.findall(r"not up to date: (.*)", console(result))[0]


@pytest.mark.nightly
def test_without_both_disks_nothing_is_restored_and_the_reason_is_shown(unit: VirtualUnit, run_stage: RunStage) -> None:
    log = Path(unit.serial_log("no-disks"))

    def wait(live: RunningMachine) -> None:
        live.wait_milestone(INIT_FAILED, GIVE_UP_SECONDS)
        for _ in range(60):  # what it says then
            if "Restarting in" in log.read_text(errors="replace"):
                return
            assert live.wait_end(1.0) is Ending.TIMEOUT

    result = run_stage("no-disks", unit, GIVEN_UP, without(unit, 0, 1), wait)
    assert not [each.name for each in result.milestones if each.name.startswith("FR_")]
    assert "root volume not found; 0 of 2 data disks present: none" in console(result)
    assert "Restarting in 10 min" in console(result)
    run_stage("back", unit, STARTED)


def test_a_bios_unit_starts_from_the_disk_that_is_left(
    container: LabContainer, small_prepared_as: Callable[..., VirtualUnit], tmp_path: Path, run_stage: RunStage
) -> None:
    """Loader, menu and kernel are on each disk; RECOVERY is pulled too, so that they are all there is."""
    prepared = small_prepared_as(unit_spec("smallraid1", FirmwareKind.BIOS))
    found = [examined(prepared, index) for index in (0, 1)]
    assert sorted(slots(found)) == [0, 1]
    for index, said in enumerate(found):
        assert said["Raid Level"] == "raid1"
        with raw_view(SystemProcesses(), prepared.primary(index)) as view:
            table = json.loads(tool("sfdisk", "--json", view))["partitiontable"]
            assert (table["label"], [part["type"] for part in table["partitions"]]) == ("dos", ["83", "fd"])
            boot = f"{view}?offset={512 * table['partitions'][0]['start']}"
            assert "normal.cfg" in tool("debugfs", "-R", "ls -p /gprov", boot)
    unit = prepared.overlay(str(tmp_path / "unit"), container.processes())
    machine = without(unit, 0)
    alone = replace(machine, disks=tuple(disk for disk in machine.disks if disk.name == "primary1"))
    result = run_stage("degraded", unit, STARTED, alone)
    assert re.search(rf"is degraded; disk missing: slot {slots(found)[0]} \([^)]*LABDISK0000", console(result))
    shutil.rmtree(tmp_path / "unit")
