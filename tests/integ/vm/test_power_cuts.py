"""Units in virtual machines lose power, in the middle of provisioning and of restores, and come back by themselves.

Which cuts is decided by seed and number; what a cut leaves, docs/how-to/lab.md says. `gprov lab cuts` with the same
seed and numbers makes them again, one by one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.campaign import Campaign, run_campaign
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.cuts import CutMethod, CutResult
from gprov.apps.host.lab.disk_shapes import SHAPES, unit_spec
from gprov.apps.host.lab.inspection import check_restored_unit
from gprov.apps.host.lab.powercut import DiskCut, PowerCut, UnflushedOutcome, apply_cut
from gprov.apps.host.lab.products import file_digest
from gprov.apps.host.lab.scenario import CutScenario, CutStage
from gprov.apps.host.lab.volumes import raw_view
from gprov.apps.host.lab.writelog import read_log
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.boot.firmware import FirmwareKind
from tests.integ.vm.conftest import ScenarioOf

pytestmark = pytest.mark.vm

SEED = "tests"


def cuts_of(count: int, first: int = 0, jobs: int = 1) -> Campaign:
    return Campaign(seed=SEED, first=first, count=count, jobs=jobs)


def cut(container: LabContainer, folder: Path, scenario: CutScenario, campaign: Campaign) -> list[CutMethod]:
    """The methods of the cuts. Raises AssertionError with what is needed to see a failure again; disks
    and logs of it stay."""
    results = run_campaign(container.cuts(), scenario, campaign, str(folder / "cuts"))
    failed = [told(result, scenario) for result in results if result.problems]
    assert not failed, "\n".join(failed)
    shutil.rmtree(folder / "cuts")
    return [result.method for result in results]


def told(result: CutResult, scenario: CutScenario) -> str:
    spec = scenario.unit.spec
    (disks,) = [name for name in SHAPES if unit_spec(name, spec.firmware) == replace(spec, signed=False)]
    signed = " --signed" if spec.signed else ""
    names = f"--stage {scenario.stage.value} --firmware {spec.firmware.value} --disks {disks}{signed}"
    arguments = f"{names} --seed {SEED} --first {result.number}"
    return "\n".join([f"{result.cut}: {'; '.join(result.problems)}", f"kept in {result.folder}", arguments])


# Other cuts for each firmware: the numbers decide about the method, too.
@pytest.mark.parametrize(("firmware", "first"), [(FirmwareKind.UEFI, 1), (FirmwareKind.BIOS, 6)])
def test_a_restore_that_is_cut_ends_in_the_whole_new_system(
    container: LabContainer, cut_scenario: ScenarioOf, tmp_path: Path, firmware: FirmwareKind, first: int
) -> None:
    scenario = cut_scenario(CutStage.RESTORE, unit_spec("small", firmware))
    made = cut(container, tmp_path, scenario, cuts_of(3, first))
    assert set(made) == set(CutMethod)


def test_a_provisioning_that_is_cut_can_be_repeated(
    container: LabContainer, cut_scenario: ScenarioOf, tmp_path: Path
) -> None:
    scenario = cut_scenario(CutStage.PROVISION, unit_spec("small"))
    made = cut(container, tmp_path, scenario, cuts_of(2))
    assert set(made) == {CutMethod.REPLAYED, CutMethod.KILLED}


@pytest.mark.parametrize("firmware", list(FirmwareKind))
def test_all_that_was_recorded_makes_the_restored_unit(
    cut_scenario: ScenarioOf, tmp_path: Path, firmware: FirmwareKind
) -> None:
    """Replayed as a whole onto the unit before the restore; only its first start is missing."""
    scenario = cut_scenario(CutStage.RESTORE, unit_spec("small", firmware))
    recording, left = scenario.recording, scenario.unit.overlay(str(tmp_path / "left"), SystemProcesses())
    whole = tuple(DiskCut(len(log), 0, ()) for log in recording.logs)
    apply_cut(SystemProcesses(), recording, PowerCut(recording.instants[-1], UnflushedOutcome.ALL, whole), left)
    assert check_restored_unit(SystemProcesses(), left, scenario.expected) == [
        "PRIMARY: lacks etc/provisioning/boots_started"
    ]


def test_the_check_finds_everything_that_is_not_restored(cut_scenario: ScenarioOf) -> None:
    """The unit before the restore: without its flag file, with another system and older kernels."""
    scenario = cut_scenario(CutStage.RESTORE, unit_spec("small", FirmwareKind.BIOS))
    problems = check_restored_unit(SystemProcesses(), scenario.unit, scenario.expected)
    kernel = f" is {file_digest(scenario.products.normal_kernel)}, not {scenario.expected.kernel}"
    assert "PRIMARY: has no flag file" in problems
    assert "PRIMARY: lacks boot.normal" in problems
    assert any(problem.startswith("PRIMARY: srv/0/007 is ") for problem in problems)
    assert [problem.removesuffix(kernel) for problem in problems if problem.endswith(kernel)] == [
        "PRIMARY: /norm_boot",
        "RECOVERY: /norm_boot",
        "RECOVERY: /gprov/norm_boot",
    ]


@pytest.mark.nightly
@pytest.mark.parametrize("firmware", list(FirmwareKind))
def test_many_cuts_of_restores(
    container: LabContainer, cut_scenario: ScenarioOf, tmp_path: Path, firmware: FirmwareKind
) -> None:
    cut(container, tmp_path, cut_scenario(CutStage.RESTORE, unit_spec("sata", firmware)), cuts_of(40, jobs=2))


@pytest.mark.nightly
@pytest.mark.parametrize("firmware", list(FirmwareKind))
def test_cuts_of_restores_onto_an_array(
    container: LabContainer, cut_scenario: ScenarioOf, tmp_path: Path, firmware: FirmwareKind
) -> None:
    cut(container, tmp_path, cut_scenario(CutStage.RESTORE, unit_spec("raid1", firmware)), cuts_of(4, jobs=2))


@pytest.mark.nightly
@pytest.mark.parametrize("firmware", list(FirmwareKind))
def test_cuts_of_restores_of_signed_images(tmp_path: Path, firmware: FirmwareKind) -> None:
    """The image is hashed as stored and decoded once, while it is unpacked."""
    container = LabContainer()
    set_value(container.signed, True)
    scenario = container.scenarios().scenario(CutStage.RESTORE, replace(unit_spec("small", firmware), signed=True))
    assert "images: policy enforce" in Path(scenario.serial_log).read_text(errors="replace")
    cut(container, tmp_path, scenario, cuts_of(10, jobs=2))


@pytest.mark.nightly
@pytest.mark.parametrize("firmware", list(FirmwareKind))
def test_many_cuts_of_provisioning(
    container: LabContainer, cut_scenario: ScenarioOf, tmp_path: Path, firmware: FirmwareKind
) -> None:
    cut(container, tmp_path, cut_scenario(CutStage.PROVISION, unit_spec("sata", firmware)), cuts_of(6, jobs=2))


def test_qemu_logs_every_write_with_its_data(tmp_path: Path) -> None:
    """What the log says was written, read back from the disk by other means."""
    disk, log = tmp_path / "disk.qcow2", tmp_path / "log"
    log.touch()
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"], check=True, timeout=60)
    node = f"driver=blklogwrites,file.driver=qcow2,file.file.filename={disk},log.driver=file,log.filename={log}"
    commands = ["write -P 97 8k 4k", "flush", "write -P 98 16k 1M", "write -z 2M 64k", "flush", "discard 8M 1M"]
    argv = ["qemu-io", "--image-opts", node]
    subprocess.run(argv, input="\n".join(commands), text=True, check=True, timeout=60, capture_output=True)

    entries = read_log(str(log))
    written = [(entry.offset, entry.size) for entry in entries if entry.place is not None]
    assert written == [(8192, 4096), (16384, 1 << 20), (2 << 20, 65536)]
    assert [(entry.offset, entry.size) for entry in entries if entry.size and entry.place is None] == [
        (8 << 20, 1 << 20)
    ]
    assert [index for index, entry in enumerate(entries) if entry.flush][:2] == [1, 4]
    with raw_view(SystemProcesses(), str(disk)) as view, open(view, "rb") as disk_file, open(log, "rb") as log_file:
        for entry in entries:
            if entry.place is not None:
                assert os.pread(disk_file.fileno(), entry.size, entry.offset) == os.pread(
                    log_file.fileno(), entry.size, entry.place
                )
