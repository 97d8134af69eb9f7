"""Test switches of provisioning, end to end."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.firmware.uefi import firmware_start
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.simulation.cuts import settle
from gprov.apps.host.simulation.world import IMAGE_NAME, World, new_world, publish
from gprov.domain.errors import BadInput, DeviceMissing, RefusedByPolicy
from gprov.domain.events import ProcessState
from gprov.domain.files import FileType


@pytest.fixture(scope="module")
def used() -> World:
    world = new_world()
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    world.factory.documents.clear()
    world.factory.states.clear()
    return world


@pytest.mark.parametrize("word", ["No-wipe-disk", "Stop-after-validate,no-such-thing"])
def test_an_unknown_word_is_refused_before_anything_is_done(word: str) -> None:
    world = new_world()
    touched: list[str] = []
    world.machine.hook = touched.append
    with pytest.raises(BadInput, match=r"kernel arguments: .* is no test switch"):
        world.provision(PROVISION_MFG_TEST=word)
    assert touched == []


def test_stop_after_validate(used: World) -> None:
    world = deepcopy(used)
    before = world.machine.storage()
    with pytest.raises(RefusedByPolicy, match="as specified: going no further"):
        world.provision(PROVISION_MFG_TEST="Stop-after-validate")
    assert world.machine.storage() == before
    assert world.factory.states == [ProcessState.MFG_STARTED, ProcessState.MFG_FAILED]
    assert world.boot() is Stop.SWITCHED_ROOT


def test_no_wipe_disks_leaves_the_old_system(used: World) -> None:
    world = deepcopy(used)
    before, writes = world.machine.storage()["sda"], world.machine.disks[0].writes
    assert world.provision(PROVISION_MFG_TEST="No-wipe-disks") is Stop.REBOOT
    assert world.machine.storage()["sda"] == before
    assert world.machine.disks[0].writes == writes
    assert world.factory.documents == {}
    assert world.boot() is Stop.SWITCHED_ROOT


def test_without_it_the_old_system_is_gone(used: World) -> None:
    world = deepcopy(used)
    assert world.provision() is Stop.REBOOT
    assert world.machine.disks[0].partitions == []
    assert settle(world) == ("reboot", "switched root")


def test_no_create_recov_keeps_what_recovery_holds(used: World) -> None:
    world = deepcopy(used)
    kept = "WIDGET.LNX.SHINY.2026-03-01.1.upd"
    world.machine.tree("RECOVERY").put(
        f"/Image/{kept}", Node(type=FileType.FILE, content=build_image(build_kernel(100)))
    )
    world.machine.flush()
    table = world.machine.disks[1].table
    assert world.provision(PROVISION_MFG_TEST="No-create-recov") is Stop.REBOOT
    assert world.machine.disks[1].table is table
    assert settle(world) == ("reboot", "switched root")
    assert world.machine.tree("PRIMARY").get(f"/{kept.removesuffix('.upd')}.disktag") is not None


def test_no_create_recov_without_a_recovery_changes_nothing() -> None:
    world = new_world()
    before = world.machine.storage()
    with pytest.raises(DeviceMissing, match="RECOVERY: no volume has this label"):
        world.provision(PROVISION_MFG_TEST="No-create-recov")
    assert world.machine.storage() == before


def test_no_write_files_takes_recovery_as_it_is(used: World) -> None:
    world = deepcopy(used)
    publish(world.origin, {IMAGE_NAME: b"never fetched", "norm_boot": b"neither"})
    assert world.provision(PROVISION_MFG_TEST="No-create-recov No-write-files") is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")


def test_no_write_files_on_a_new_recovery_says_what_is_missing() -> None:
    world = new_world()
    with pytest.raises(DeviceMissing, match="/mnt/RECOVERY/ESP/norm_boot"):
        world.provision(PROVISION_MFG_TEST="No-write-files")
    assert world.machine.disks[0].writes == 0
    with pytest.raises(DeviceMissing):
        firmware_start(world.machine)


def test_no_manufacture_stores_no_password() -> None:
    world = new_world()
    assert world.provision(PROVISION_MFG_TEST="No-manufacture") is Stop.REBOOT
    assert world.machine.tree("RECOVERY").get("/secrets") is None
    assert settle(world) == ("reboot", "switched root")
    shadow = world.machine.tree("PRIMARY").get("/etc/shadow")
    assert shadow is not None
    assert b"admin:!:" in shadow.content


@pytest.mark.parametrize(
    "words", ["No-wipe-disks", "No-manufacture", "Skip-networking", "no-manufacture,verbose-logging"]
)
def test_a_run_that_left_something_out_makes_no_document(words: str) -> None:
    world = new_world()
    assert world.provision(PROVISION_MFG_TEST=words) is Stop.REBOOT
    assert world.factory.documents == {}


def test_verbose_logging_leaves_nothing_out() -> None:
    world = new_world()
    assert world.provision(PROVISION_MFG_TEST="Verbose-logging") is Stop.REBOOT
    assert len(world.factory.documents) == 1
