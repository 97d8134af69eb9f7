"""Instants of a recording, and what a cut at one leaves, on logs that were written here."""

from __future__ import annotations

import json
import random
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.fake.system.process import FakeProcesses
from gprov.apps.host.lab.argv import Accelerator
from gprov.apps.host.lab.campaign import Campaign, campaign_report, run_campaign
from gprov.apps.host.lab.cuts import CutMethod, CutResult, PowerCuts
from gprov.apps.host.lab.disk_argv import block_node
from gprov.apps.host.lab.guest_messages import GuestReport
from gprov.apps.host.lab.inspection import ExpectedContent
from gprov.apps.host.lab.machine import DiskBus, VirtualDisk
from gprov.apps.host.lab.powercut import PowerCut, UnflushedOutcome, choose_cut
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.recording import Instant, Recording, VariableStores, recorded
from gprov.apps.host.lab.runner import Ending, Runner
from gprov.apps.host.lab.scenario import CutScenario, CutStage
from gprov.apps.host.lab.stage import StageRunner
from gprov.apps.host.lab.starts import Start
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.errors import BadInput

SECTOR = 512
HEAD = struct.pack("<QQQI", 0x6A736677736872, 1, 0, SECTOR).ljust(SECTOR, b"\0")
FLUSH = struct.pack("<QQQQ", 0, 0, 1, 0).ljust(SECTOR, b"\0")
WRITE = struct.pack("<QQQQ", 0, 8, 0, 0).ljust(SECTOR, b"\0") + bytes(8 * SECTOR)


def recording(folder: Path, first: bytes, second: bytes, snapshots: list[str]) -> Recording:
    (folder / "a.writes").write_bytes(HEAD + first)
    (folder / "b.writes").write_bytes(HEAD + second)
    (folder / "recording.json").write_text(json.dumps({"disks": ["a", "b"], "looks": snapshots}))
    return Recording.open(str(folder))


def snapshot(first: int, second: int, nvram: int = 0, said: int = 0) -> str:
    """With so many bytes of each log behind its super block."""
    return f"{SECTOR + first} {SECTOR + second} {nvram} {said}"


def cuts(found: Recording, count: int = 400) -> list[PowerCut]:
    return [choose_cut(found, random.Random(number)) for number in range(count)]


def test_instants_between_snapshots_exist_if_only_one_log_grew(tmp_path: Path) -> None:
    write = len(WRITE)
    snapshots = [snapshot(0, 0), snapshot(3 * write, 0), snapshot(4 * write, write), snapshot(4 * write, write, 1, 5)]
    found = recording(tmp_path, WRITE * 4, WRITE, snapshots)
    assert found.instants == (
        Instant((0, 0), 0, 0),
        Instant((1, 0), 0, 0),
        Instant((2, 0), 0, 0),
        Instant((3, 0), 0, 0),
        Instant((4, 1), 0, 0),
        Instant((4, 1), 1, 5),
    )


def test_an_incomplete_entry_is_not_counted(tmp_path: Path) -> None:
    found = recording(tmp_path, WRITE, b"", [snapshot(len(WRITE) - 1, 0)])
    assert found.instants == (Instant((0, 0), 0, 0),)


def test_variables_that_changed_twice_within_a_tick_of_the_clock_are_seen(tmp_path: Path) -> None:
    variables = tmp_path / "efivars.fd"
    stores = VariableStores(str(tmp_path), str(variables))
    changed = 10**18
    for number, (content, later_ms) in enumerate([(b"one", 1), (b"two", 3), (b"three", 100)]):
        variables.write_bytes(content)
        assert stores.current(changed, changed + later_ms * 10**6) == number
        assert (tmp_path / f"nvram-{number}").read_bytes() == content
    variables.unlink()  # not read again before it changes
    assert stores.current(changed, changed + 200 * 10**6) == 2
    variables.write_bytes(b"two")
    assert stores.current(changed + 1, changed + 300 * 10**6) == 1


@pytest.mark.parametrize("text", ["1 2 3", "1 2 3 x", "1 2 3 4 5", "1 2 3 -4"])
def test_an_invalid_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match="not a snapshot"):
        recording(tmp_path, b"", b"", [text])


def test_flushed_requests_stay_and_any_others_may_be_present(tmp_path: Path) -> None:
    first = WRITE * 3 + FLUSH + WRITE * 4
    found = recording(tmp_path, first, b"", [snapshot(len(first), 0)])
    seen = cuts(found)
    assert {cut.disks[0].kept for cut in seen} == {4}
    by_outcome = {
        outcome: [cut.disks[0].arrived for cut in seen if cut.outcome is outcome] for outcome in UnflushedOutcome
    }
    whole = tuple((index, 8 * SECTOR) for index in range(4, 8))
    assert set(by_outcome[UnflushedOutcome.ALL]) == {whole}
    assert set(by_outcome[UnflushedOutcome.NONE]) == {()}
    assert len(set(by_outcome[UnflushedOutcome.SOME])) == 16
    assert any(size < 8 * SECTOR for arrived in by_outcome[UnflushedOutcome.FIRST] for _, size in arrived)
    assert all(size % SECTOR == 0 for arrived in by_outcome[UnflushedOutcome.FIRST] for _, size in arrived)


def test_the_last_request_of_a_disk_without_flushes_is_unflushed(tmp_path: Path) -> None:
    found = recording(tmp_path, WRITE * 5, b"", [snapshot(5 * len(WRITE), 0)])
    assert {(cut.disks[0].kept, cut.disks[0].unflushed) for cut in cuts(found)} == {(4, 1)}


def test_short_times_between_flushes_are_as_likely_as_long_ones(tmp_path: Path) -> None:
    first = WRITE * 200 + FLUSH + WRITE + FLUSH + WRITE * 200
    found = recording(tmp_path, first, b"", [snapshot(0, 0), snapshot(len(first), 0)])
    epochs = [cut.disks[0].kept for cut in cuts(found)]
    # 400 cuts; in the short one there is something in doubt at one of two instants only.
    assert {epoch: epochs.count(epoch) > 30 for epoch in set(epochs)} == {0: True, 201: True, 203: True}


def test_number_and_seed_alone_decide(tmp_path: Path) -> None:
    first = (WRITE + FLUSH) * 20
    found = recording(
        tmp_path, first, WRITE * 3, [snapshot(0, 0), snapshot(len(first), 0), snapshot(len(first), len(WRITE) * 3)]
    )
    assert cuts(found, 30) == cuts(found, 30)
    assert len({cut.describe() for cut in cuts(found, 30)}) > 15


def test_a_recorded_disk_is_logged_below_its_name() -> None:
    disk = VirtualDisk(
        name="primary0", file="/unit/primary0.qcow2", bus=DiskBus.AHCI, write_log="/logs/primary0.writes"
    )
    node = json.loads(json.dumps(block_node(disk)))
    assert (node["driver"], node["node-name"]) == ("blklogwrites", "primary0")
    assert (node["file"]["driver"], node["file"]["file"]["filename"]) == ("qcow2", "/unit/primary0.qcow2")
    assert node["log"]["filename"] == "/logs/primary0.writes"
    assert "node-name" not in node["file"]


def test_disks_that_write_with_forced_unit_access_are_not_recorded(tmp_path: Path) -> None:
    machine = VirtualUnitSpec(primaries=(DiskBus.NVME,)).machine(str(tmp_path))
    with pytest.raises(BadInput, match="forced unit access"), recorded(machine, str(tmp_path / "r"), ""):
        pass


def result(number: int, problems: list[str]) -> CutResult:
    start = Start(
        ending=Ending.POWER_OFF,
        milestone_names=("handover",),
        system=GuestReport("multi-user", 1.0, {}),
        nothing_bootable=False,
        seconds=12.34,
    )
    return CutResult(
        number=number,
        method=CutMethod.REPLAYED,
        cut=f"cut {number % 2}",
        folder=f"/w/cut-{number}",
        starts=[start],
        seconds=20.0,
        problems=problems,
    )


def test_the_report_of_many_cuts() -> None:
    campaign = Campaign(seed="s", first=0, count=3, jobs=2)
    results = [result(number, []) for number in range(3)]
    report = campaign_report({"stage": "restore"}, campaign, results, 61.0)
    assert (report["verdict"], report["stage"], report["cuts"], report["states"]) == ("passed", "restore", 3, 2)
    assert report["most_starts"] == 1
    json.dumps(report)
    broken = [*results, replace(result(3, []), problems=["PRIMARY: lacks etc/fstab"])]
    assert campaign_report({}, campaign, broken, 61.0)["verdict"] == "failed"


def test_a_stage_that_ended_before_it_was_killed_is_not_a_cut() -> None:
    campaign = Campaign(seed="s", first=0, count=3, jobs=2)
    results = [result(0, []), *(replace(result(number, []), missed=True) for number in (1, 2))]
    report = campaign_report({}, campaign, results, 61.0)
    assert (report["verdict"], report["cuts"], report["missed"], report["states"]) == ("passed", 1, 2, 1)
    assert campaign_report({}, campaign, results[1:], 61.0)["verdict"] == "failed"


def test_a_failure_of_the_lab_fails_only_that_cut(tmp_path: Path) -> None:
    processes, said = FakeProcesses(), list[str]()
    runner = Runner(processes, lambda: Accelerator.TCG)
    power_cuts = PowerCuts(processes, runner, StageRunner(runner, said.append), said.append)
    unit = VirtualUnit(str(tmp_path / "unit"), VirtualUnitSpec())
    found = recording(tmp_path, WRITE, b"", [snapshot(len(WRITE), 0)])
    expected = ExpectedContent(primary={}, varying=frozenset(), images={}, kernel="", older_kernel="")
    scenario = CutScenario(
        unit=unit,
        stage=CutStage.RESTORE,
        recording=found,
        expected=expected,
        products=Products("", "", ""),
        serial_log="",
    )
    results = run_campaign(power_cuts, scenario, Campaign(seed="s", first=0, count=3, jobs=2), str(tmp_path / "cuts"))
    assert [(each.number, each.method) for each in results] == list(
        enumerate([CutMethod.REPLAYED, CutMethod.KILLED, CutMethod.REPLAYED])
    )
    for each in results:
        [problem] = each.problems
        assert problem.startswith("the lab failed: qemu-img")
        assert problem in (Path(each.folder) / "problems.txt").read_text()


def test_most_cuts_have_unflushed_requests(tmp_path: Path) -> None:
    """Though nearly all of the time everything is flushed."""
    snapshots = [snapshot(0, 0), *(snapshot(0, 0, changes) for changes in range(1, 20))]
    snapshots += [snapshot(len(WRITE), 0, 20), snapshot(len(WRITE + FLUSH), 0, 20)]
    chosen = cuts(recording(tmp_path, WRITE + FLUSH, b"", snapshots))
    torn = [cut for cut in chosen if cut.disks[0].unflushed]
    assert 0.6 * len(chosen) < len(torn) < len(chosen)
    assert len([cut for cut in torn if sum(size for _, size in cut.disks[0].arrived) < 8 * SECTOR]) > len(torn) / 2
