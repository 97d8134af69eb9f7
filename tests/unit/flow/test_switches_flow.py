"""Test switches of provisioning: what each of them leaves out, on the simulated machine."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.firmware.uefi import firmware_start
from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.factory_files import publish
from gprov.apps.host.simulation.world import IMAGE_NAME
from gprov.domain.errors import BadInput, DeviceMissing, RefusedByPolicy
from gprov.domain.events import ProcessState
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver


@pytest.fixture
def used() -> UnitDriver:
    """A running unit; the factory has forgotten what it received of its provisioning."""
    unit = units.running()
    unit.factory.documents.clear()
    unit.factory.states.clear()
    return unit


@pytest.mark.parametrize("word", ["No-wipe-disk", "Stop-after-validate,no-such-thing"])
def test_an_unknown_switch_is_refused_before_anything_is_done(blank: UnitDriver, word: str) -> None:
    touched: list[str] = []
    blank.machine.hook = touched.append
    with pytest.raises(BadInput, match=r"kernel arguments: .* is not a test switch"):
        blank.provision(PROVISION_MFG_TEST=word)
    assert touched == []


def test_stop_after_validate_changes_nothing(used: UnitDriver) -> None:
    before = used.machine.media_state()
    with pytest.raises(RefusedByPolicy, match="as specified: going no further"):
        used.provision(PROVISION_MFG_TEST="Stop-after-validate")
    assert used.machine.media_state() == before
    assert used.factory.states == [ProcessState.MFG_STARTED, ProcessState.MFG_FAILED]
    assert used.boot() is StopReason.SWITCHED_ROOT


def test_no_wipe_disks_leaves_the_old_system(used: UnitDriver) -> None:
    before, writes = used.machine.media_state()["sda"], used.machine.disks[0].writes
    assert used.provision(PROVISION_MFG_TEST="No-wipe-disks") is StopReason.REBOOT
    assert used.machine.media_state()["sda"] == before
    assert used.machine.disks[0].writes == writes
    assert used.factory.documents == {}
    assert used.boot() is StopReason.SWITCHED_ROOT


def test_without_switches_the_old_system_is_gone(used: UnitDriver) -> None:
    assert used.provision() is StopReason.REBOOT
    assert used.machine.disks[0].partitions == []
    assert used.settle() == ("reboot", "switched root")


def test_no_create_recov_keeps_what_recovery_holds(used: UnitDriver) -> None:
    kept = "WIDGET.LNX.SHINY.2026-03-01.1.upd"
    used.add_image(kept)
    table = used.machine.disks[1].table
    assert used.provision(PROVISION_MFG_TEST="No-create-recov") is StopReason.REBOOT
    assert used.machine.disks[1].table is table
    assert used.settle() == ("reboot", "switched root")
    assert used.systems() == [kept]


def test_no_create_recov_without_a_recovery_changes_nothing(blank: UnitDriver) -> None:
    before = blank.machine.media_state()
    with pytest.raises(DeviceMissing, match="RECOVERY: no volume has this label"):
        blank.provision(PROVISION_MFG_TEST="No-create-recov")
    assert blank.machine.media_state() == before


def test_no_write_files_takes_recovery_as_it_is(used: UnitDriver) -> None:
    publish(used.origin, {IMAGE_NAME: b"never fetched", "norm_boot": b"neither"})
    assert used.provision(PROVISION_MFG_TEST="No-create-recov No-write-files") is StopReason.REBOOT
    assert used.settle() == ("reboot", "switched root")


def test_no_write_files_on_a_new_recovery_reports_the_missing_file(blank: UnitDriver) -> None:
    with pytest.raises(DeviceMissing, match="/mnt/RECOVERY/ESP/norm_boot"):
        blank.provision(PROVISION_MFG_TEST="No-write-files")
    assert blank.machine.disks[0].writes == 0
    with pytest.raises(DeviceMissing):
        firmware_start(blank.machine)


def test_no_manufacture_stores_no_password(blank: UnitDriver) -> None:
    assert blank.provision(PROVISION_MFG_TEST="No-manufacture") is StopReason.REBOOT
    assert not blank.exists("RECOVERY", "/secrets")
    assert blank.settle() == ("reboot", "switched root")
    assert b"admin:!:" in blank.read("PRIMARY", "/etc/shadow")


@pytest.mark.parametrize(
    "words", ["No-wipe-disks", "No-manufacture", "Skip-networking", "no-manufacture,verbose-logging"]
)
def test_a_provisioning_that_left_something_out_makes_no_document(blank: UnitDriver, words: str) -> None:
    assert blank.provision(PROVISION_MFG_TEST=words) is StopReason.REBOOT
    assert blank.factory.documents == {}


def test_a_provisioning_with_verbose_logging_makes_a_document(blank: UnitDriver) -> None:
    assert blank.provision(PROVISION_MFG_TEST="Verbose-logging") is StopReason.REBOOT
    assert len(blank.factory.documents) == 1
