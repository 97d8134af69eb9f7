"""Test switches of provisioning: what each of them leaves out, on the simulated machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from gprov.adapters.fake.firmware.uefi import firmware_start
from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.factory_files import publish
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, world_of
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceMissing, RefusedByPolicy
from gprov.domain.events import ProcessState, Severity
from gprov.domain.formats.json.value import Json
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import FakeraidType
from gprov.ports.process import Completed
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver

BEFORE_MFG: Json = {"Name": "Say", "When": "BeforeMfg", "Commands": [{"Command": "echo said"}]}


def echo(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
    return Completed(0, f"printed {argv[1]}\n".encode(), b"")


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


def test_no_manufacture_leaves_out_stash_files_alone(blank: UnitDriver) -> None:
    blank.change_manuf(
        StashFiles=[{"Src": "http://factory.invalid/stash.txz", "Sha256": "0" * 64}],
        CustomPlatCfgSteps=[{"DevCodeName": "QEMU-mfg-test", "ConfigSteps": [BEFORE_MFG]}],
    )
    blank.processes.programs["echo"] = echo
    assert blank.provision(PROVISION_MFG_TEST="No-manufacture") is StopReason.REBOOT
    assert [run.argv for run in blank.processes.runs] == [("echo", "said")]
    assert blank.exists("RECOVERY", "/secrets/admin.hash")
    assert blank.settle() == ("reboot", "switched root")
    assert b"admin:!:" not in blank.read("PRIMARY", "/etc/shadow")


@pytest.mark.parametrize(("words", "logged"), [("", False), ("Verbose-logging", True)])
def test_verbose_logging_logs_what_commands_print(blank: UnitDriver, words: str, logged: bool) -> None:
    blank.change_manuf(CustomPlatCfgSteps=[{"DevCodeName": "QEMU-mfg-test", "ConfigSteps": [BEFORE_MFG]}])
    blank.processes.programs["echo"] = echo
    assert blank.provision(PROVISION_MFG_TEST=words) is StopReason.REBOOT
    assert ("  printed said" in blank.log(Severity.LOG).splitlines()) is logged


@pytest.mark.parametrize(("words", "logged"), [("", False), ("Dmi-raw-output", True)])
def test_dmi_raw_output_logs_every_structure(blank: UnitDriver, words: str, logged: bool) -> None:
    assert blank.provision(PROVISION_MFG_TEST=words) is StopReason.REBOOT
    assert ("SMBIOS handle 0x" in blank.log(Severity.LOG)) is logged


@pytest.mark.parametrize("given", [{}, {"PROVISION_CONT_LOGGING": "1"}])
def test_cont_logging_lets_all_later_starts_log_to_the_factory_server(blank: UnitDriver, given: dict[str, str]) -> None:
    blank.change_manuf(LogEndpoint="10.0.2.2:8901")
    assert blank.provision(**given) is StopReason.REBOOT
    word = b"PROVISION_XLOG=http://10.0.2.2:8901/"
    assert (word in blank.read("RECOVERY", "/boot.args")) is bool(given)
    assert blank.settle() == ("reboot", "switched root")
    assert (word in blank.read("RECOVERY", "/boot.args")) is bool(given)
    states = len(blank.factory.states)
    blank.remove_flag()
    assert blank.boot() is StopReason.REBOOT
    assert (ProcessState.FR_SUCCEEDED in blank.factory.states[states:]) is bool(given)


@pytest.mark.parametrize(("url", "times"), [("", 1), ("10.0.2.2:8901", 1), ("http://other:8901/", 2)])
def test_provisioning_reports_to_the_server_of_xlog_too(blank: UnitDriver, url: str, times: int) -> None:
    blank.change_manuf(LogEndpoint="http://10.0.2.2:8901/")
    assert blank.provision(PROVISION_XLOG=url) is StopReason.REBOOT
    assert blank.factory.states.count(ProcessState.MFG_SUCCEEDED) == times


def test_values_of_the_platform_that_nothing_uses_are_warned_about_once() -> None:
    platform = replace(default_table()[0], fakeraid_type=FakeraidType.IMSM)
    unit = UnitDriver(world_of(platform, Branding(), FirmwareKind.UEFI))
    assert unit.provision() is StopReason.REBOOT
    assert unit.log(Severity.WARNING).count("FakeraidType: iMSM: ") == 1


@pytest.mark.parametrize(
    "words", ["No-wipe-disks", "No-manufacture", "Skip-networking", "no-manufacture,verbose-logging"]
)
def test_a_provisioning_that_left_something_out_makes_no_document(blank: UnitDriver, words: str) -> None:
    assert blank.provision(PROVISION_MFG_TEST=words) is StopReason.REBOOT
    assert blank.factory.documents == {}


def test_a_provisioning_with_verbose_logging_makes_a_document(blank: UnitDriver) -> None:
    assert blank.provision(PROVISION_MFG_TEST="Verbose-logging") is StopReason.REBOOT
    assert len(blank.factory.documents) == 1
