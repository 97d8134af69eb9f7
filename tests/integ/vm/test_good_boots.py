"""Starts that a system did not find good, on a real unit: counted on PRIMARY, told of its image at the next restore."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.apps.host.lab.stage import HANDOVER, INIT_STARTED, Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ext_volume, remove_flag

pytestmark = pytest.mark.vm

RunStage = Callable[..., StageResult]
ROOT, STICK = 1, 2
FOLDER = "/etc/provisioning"
HANDOVER_SECONDS = 120.0
CUT = Expectation(Ending.CRASHED, (INIT_STARTED, HANDOVER), HANDOVER_SECONDS)


def counts(unit: VirtualUnit) -> dict[str, bytes]:
    with ext_volume(SystemProcesses(), unit.primary(), ROOT) as root:
        return {name: root.read(f"{FOLDER}/{name}") for name in root.names(FOLDER) if name.startswith("boots_")}


def recorded(unit: VirtualUnit, image: str) -> dict[str, int]:
    with ext_volume(SystemProcesses(), unit.recovery, STICK) as stick:
        results = json.loads(stick.read("/log/recovery_history.json"))["ImageResults"]
    (found,) = [result for result in results if result["Image"] == image.removesuffix(".upd")]
    return {key: found[key] for key in ("BootAttempts", "BootFailures")}


def cut_at_handover(live: RunningMachine) -> None:
    live.wait_milestone(HANDOVER, HANDOVER_SECONDS)
    live.cut_power()


def test_boots_are_counted_confirmed_and_added_to_the_history(
    debian_overlay: VirtualUnit, run_stage: RunStage, products: Products
) -> None:
    assert counts(debian_overlay) == {"boots_started": b"1\n", "boots_confirmed": b"1 1\n"}
    for number in (2, 3):
        run_stage(f"cut-{number}", debian_overlay, CUT, during=cut_at_handover)
        assert counts(debian_overlay) == {"boots_started": b"%d\n" % number, "boots_confirmed": b"1 1\n"}
    assert recorded(debian_overlay, products.image_name) == {"BootAttempts": 0, "BootFailures": 0}

    remove_flag(SystemProcesses(), debian_overlay)
    run_stage("restore", debian_overlay, RESTORED)
    assert counts(debian_overlay) == {}
    assert recorded(debian_overlay, products.image_name) == {"BootAttempts": 3, "BootFailures": 2}

    run_stage("good", debian_overlay, STARTED)
    assert counts(debian_overlay) == {"boots_started": b"1\n", "boots_confirmed": b"1 1\n"}
