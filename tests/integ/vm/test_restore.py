"""What makes a unit restore itself, from which image, and what must not."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.lifecycle import RESTORE_FAILED, RESTORED, STARTED
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.apps.host.lab.stage import INIT_STARTED, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import partitions, raw_view, remove_flag
from tests.integ.vm.unit_disks import disktags, newest_log, primary_of, recovery_of

pytestmark = pytest.mark.vm

RunStage = Callable[..., StageResult]

# Of the fixture newer_image.
NEWER = "WIDGET.LNX.SHINY.2024-02-01.0002.upd"
LATE_SECONDS = 20.0
HISTORY = "/log/recovery_history.json"


def tag(image: str) -> str:
    return image.removesuffix(".upd") + ".disktag"


def kernel_on_esp(unit: VirtualUnit, folder: Path) -> bytes:
    processes = SystemProcesses()
    with raw_view(processes, unit.recovery) as view:
        esp = partitions(processes, view)[0]
        target = folder / "norm_boot"
        argv = ["mcopy", "-n", "-o", "-i", f"{view}@@{esp.start}", "::/norm_boot", str(target)]
        subprocess.run(argv, check=True, timeout=60, capture_output=True)
    return target.read_bytes()


def test_newer_image_is_restored_and_then_the_original_again_without_a_kernel_going_back(
    overlay: VirtualUnit, run_stage: RunStage, newer_image: tuple[str, bytes], small_products: Products, tmp_path: Path
) -> None:
    image, kernel = newer_image
    assert kernel_on_esp(overlay, tmp_path) == Path(small_products.normal_kernel).read_bytes()
    with recovery_of(overlay, writable=True) as stick:
        stick.add(image, f"/Image/{NEWER}")
    remove_flag(SystemProcesses(), overlay)

    run_stage("newer", overlay, RESTORED)
    assert disktags(overlay) == [tag(NEWER)]
    assert kernel_on_esp(overlay, tmp_path) == kernel  # #9 replaces #1

    started = run_stage("newer-boot", overlay, STARTED)
    assert started.system
    assert started.system.facts["disktag"] == tag(NEWER)

    with recovery_of(overlay, writable=True) as stick:
        stick.remove(f"/Image/{NEWER}")
    remove_flag(SystemProcesses(), overlay)
    run_stage("original", overlay, RESTORED)
    assert disktags(overlay) == [tag(small_products.image_name)]
    assert kernel_on_esp(overlay, tmp_path) == kernel  # #1 does not replace #9
    with primary_of(overlay) as root:
        assert root.read("/boot/norm_boot") == kernel


def test_the_image_before_is_restored_if_the_newest_is_corrupt(
    overlay: VirtualUnit, run_stage: RunStage, small_products: Products
) -> None:
    with recovery_of(overlay, writable=True) as stick:
        stick.add(small_products.image, f"/Image/{NEWER}")
        stick.corrupt(f"/Image/{NEWER}", Path(small_products.image).stat().st_size // 3)
    remove_flag(SystemProcesses(), overlay)
    run_stage("fallback", overlay, RESTORED)
    assert disktags(overlay) == [tag(small_products.image_name)]


def test_the_image_before_is_restored_if_the_newest_has_failed_too_often(
    overlay: VirtualUnit, run_stage: RunStage, small_products: Products, tmp_path: Path
) -> None:
    newest, original = NEWER.removesuffix(".upd"), small_products.image_name.removesuffix(".upd")
    counts = ("ImagingAttempts", "ImagingFailures", "BootAttempts", "BootFailures")
    # Six failures of both kinds, of five that are allowed; and five.
    bad = {"Image": newest, **dict(zip(counts, (7, 4, 9, 2), strict=True)), "Notes": ["a cut"]}
    good = {"Image": original, **dict(zip(counts, (6, 5, 0, 0), strict=True)), "Notes": []}
    (tmp_path / "history").write_text(json.dumps({"ImageResults": [bad, good]}))
    with recovery_of(overlay, writable=True) as stick:
        stick.add(small_products.image, f"/Image/{NEWER}")  # a good one
        stick.remove(HISTORY)
        stick.add(str(tmp_path / "history"), HISTORY)
    remove_flag(SystemProcesses(), overlay)

    run_stage("passed-over", overlay, RESTORED)
    assert disktags(overlay) == [tag(original)]
    with recovery_of(overlay, writable=True) as stick:
        log = newest_log(stick, "recov")
        results = {result["Image"]: result for result in json.loads(stick.read(HISTORY))["ImageResults"]}
        assert stick.names("/Image") == (small_products.image_name,)  # one with so many failures is not kept
    assert f"only if nothing else is good, for their failures: {newest}" in log
    assert f"{original} is restored" in log
    assert results[newest] == bad  # it was not tried
    assert [results[original][key] for key in counts[:2]] == [7, 2]  # a success halves the failures

    started = run_stage("passed-over-start", overlay, STARTED)
    assert started.system
    assert started.system.facts["disktag"] == tag(original)


def test_without_a_good_image_nothing_on_primary_changes(
    overlay: VirtualUnit, run_stage: RunStage, small_products: Products
) -> None:
    with recovery_of(overlay, writable=True) as stick:
        stick.add(small_products.image, f"/Image/{NEWER}")
        for name in (NEWER, small_products.image_name):
            stick.corrupt(f"/Image/{name}", 3 << 20)
    remove_flag(SystemProcesses(), overlay)
    before = overlay.path("before.qcow2")
    shutil.copyfile(overlay.primary(), before)

    run_stage("no-image", overlay, RESTORE_FAILED)
    compared = subprocess.run(
        ["qemu-img", "compare", before, overlay.primary()], capture_output=True, text=True, timeout=300, check=False
    )
    assert compared.returncode == 0, compared.stdout
    assert compared.stdout.strip() == "Images are identical."


def test_a_root_disk_that_comes_late_is_waited_for(
    overlay: VirtualUnit, run_stage: RunStage, small_products: Products
) -> None:
    machine = overlay.machine_with_hotplugged_primary()

    def plug_late(live: RunningMachine) -> None:
        live.wait_milestone(INIT_STARTED, 120)
        assert live.wait_end(LATE_SECONDS) is Ending.TIMEOUT
        live.plug(machine.disks[0])

    result = run_stage("late-root", overlay, STARTED, machine, plug_late)
    handover = result.uptime_at("handover")
    started = result.uptime_at(INIT_STARTED)
    assert handover is not None
    assert started is not None
    assert handover - started > LATE_SECONDS * 0.8
    assert not [each.name for each in result.milestones if each.name.startswith("FR_")]
    assert disktags(overlay) == [tag(small_products.image_name)]
