"""Configuration tools of firmware and management controller in provisioning."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from gprov.adapters.fake.machine.setup import FakeSetup
from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.factory_files import BASE_URL
from gprov.apps.host.simulation.new_worlds import SERIAL
from gprov.apps.mfg.firmware_setup import MOST_RUNS
from gprov.domain.errors import BadInput, DeviceFault, ToolLocked, ToolMissing
from gprov.domain.events import ProcessState, Severity
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.config_tool import StorageMode, ToolAbility
from tests.unit.flow.driver import UnitDriver

BIOS, BMC = "acme-setup", "/opt/acme/bmc-setup"
PASSWORD = f"bios-{SERIAL}"
CONTENT = b"fast = yes\n"


@pytest.fixture
def unit(blank: UnitDriver) -> UnitDriver:
    """A unit whose platform names a tool for the BIOS, which is there."""
    name_tools(blank, bios=BIOS)
    blank.machine.setups[BIOS] = FakeSetup()
    return blank


def name_tools(unit: UnitDriver, bios: str = "", bmc: str = "") -> None:
    [platform] = unit.world.platforms
    unit.world.platforms = (replace(platform, bios_config_tool=bios, ipmi_config_tool=bmc),)


def serve(unit: UnitDriver, name: str, content: bytes = CONTENT) -> Json:
    unit.origin.content[f"{BASE_URL}/{name}"] = content
    return {"Src": f"{BASE_URL}/{name}", "Sha256": hashlib.sha256(content).hexdigest()}


def with_settings(unit: UnitDriver, **settings: Json) -> None:
    unit.change_manuf(CustomPlatCfgSteps=[{"DevCodeName": "QEMU-mfg-test", "ConfigSteps": [], **settings}])


def untouched(unit: UnitDriver) -> bool:
    return all(disk.writes == 0 for disk in unit.machine.disks) and unit.machine.nvram == {}


def test_raid_of_the_firmware_becomes_ahci_before_anything_is_written(unit: UnitDriver) -> None:
    unit.machine.setups[BIOS].storage = StorageMode.RAID
    assert unit.provision() is StopReason.REBOOT
    assert untouched(unit)
    assert ProcessState.MFG_FAILED not in unit.factory.states
    assert ProcessState.MFG_SUCCEEDED not in unit.factory.states
    assert "Storage mode is raid; changing it to ahci" in unit.told()
    assert unit.provision() is StopReason.REBOOT
    assert unit.factory.states[-1] is ProcessState.MFG_SUCCEEDED
    assert unit.settle() == ("reboot", "switched root")


def test_a_mode_that_does_not_last_is_a_failure_after_some_restarts(unit: UnitDriver) -> None:
    unit.machine.setups[BIOS] = FakeSetup(storage=StorageMode.RAID, stubborn=True)
    runs = 1
    while unit.factory.states.count(ProcessState.MFG_STARTED) < MOST_RUNS - 1:
        assert unit.provision() is StopReason.REBOOT
        runs += 1
    error = unit.provision_fails()
    assert isinstance(error, DeviceFault)
    assert "what it sets does not last" in str(error)
    assert runs == MOST_RUNS
    assert untouched(unit)
    # The failure ends the row: after a person repaired it, provisioning may restart again.
    unit.machine.setups[BIOS].stubborn = False
    assert unit.provision() is StopReason.REBOOT
    assert unit.provision() is StopReason.REBOOT
    assert unit.factory.states[-1] is ProcessState.MFG_SUCCEEDED


def test_nothing_is_changed_by_a_run_that_only_compares(unit: UnitDriver) -> None:
    unit.machine.setups[BIOS].storage = StorageMode.RAID
    unit.provision_fails(PROVISION_MFG_TEST="Stop-after-validate")
    assert unit.machine.setups[BIOS].pending_storage is None
    assert "the storage mode is raid; it stays" in unit.log(Severity.WARNING)


def test_settings_of_both_tools_are_applied_in_turn(unit: UnitDriver) -> None:
    name_tools(unit, bios=BIOS, bmc=BMC)
    unit.machine.setups[BMC] = FakeSetup(abilities=frozenset({ToolAbility.SETTINGS}))
    with_settings(unit, BiosSettings=serve(unit, "bios.ini"), IpmiSettings=serve(unit, "lan.cfg", b"dhcp\n"))
    for _ in range(2):
        assert unit.provision() is StopReason.REBOOT
        assert untouched(unit)
    assert unit.provision() is StopReason.REBOOT
    assert unit.factory.states[-1] is ProcessState.MFG_SUCCEEDED
    assert unit.machine.setups[BIOS].settings == CONTENT
    assert unit.machine.setups[BMC].settings == b"dhcp\n"
    assert not unit.machine.ram.current.get("/run/gprov/settings")


def test_the_bios_gets_its_password_of_the_factory(unit: UnitDriver) -> None:
    assert unit.provision() is StopReason.REBOOT
    assert unit.machine.setups[BIOS].password == PASSWORD
    assert PASSWORD not in unit.told()


def test_a_unit_that_was_provisioned_before_is_unlocked_with_its_password(unit: UnitDriver) -> None:
    unit.machine.setups[BIOS] = FakeSetup(storage=StorageMode.RAID, password=PASSWORD)
    assert unit.provision() is StopReason.REBOOT
    assert unit.provision() is StopReason.REBOOT
    assert unit.factory.states[-1] is ProcessState.MFG_SUCCEEDED
    assert unit.machine.setups[BIOS].storage is StorageMode.AHCI
    assert PASSWORD not in unit.told()


@pytest.mark.parametrize("present", ["newest", "oldest"])
def test_a_bios_password_that_was_replaced_at_the_factory_is_still_known(unit: UnitDriver, present: str) -> None:
    unit.factory.replaced_bios = ("newest", "oldest")
    unit.machine.setups[BIOS] = FakeSetup(storage=StorageMode.RAID, password=present)
    assert unit.provision() is StopReason.REBOOT
    assert unit.provision() is StopReason.REBOOT
    assert unit.factory.states[-1] is ProcessState.MFG_SUCCEEDED
    assert unit.machine.setups[BIOS].password == PASSWORD
    assert not [text for text in (PASSWORD, present) if text in unit.told()]
    unit.machine.setups[BIOS].password = "of another factory"
    assert isinstance(unit.provision_fails(), ToolLocked)


def test_another_password_of_the_setup_is_a_failure(unit: UnitDriver) -> None:
    unit.machine.setups[BIOS] = FakeSetup(storage=StorageMode.RAID, password="of another factory")
    assert isinstance(unit.provision_fails(), ToolLocked)
    assert untouched(unit)


def test_no_bios_pw_leaves_the_setup_without_password(unit: UnitDriver) -> None:
    assert unit.provision(PROVISION_MFG_TEST="No-bios-pw") is StopReason.REBOOT
    assert unit.machine.setups[BIOS].password == ""
    assert unit.factory.documents == {}


def test_a_tool_that_cannot_set_passwords_is_not_asked_to(unit: UnitDriver) -> None:
    unit.machine.setups[BIOS] = FakeSetup(abilities=frozenset())
    assert unit.provision() is StopReason.REBOOT
    assert unit.factory.states[-1] is ProcessState.MFG_SUCCEEDED


@pytest.mark.parametrize("key", ["BiosConfigTool", "IpmiConfigTool"])
def test_a_tool_that_is_not_there_is_a_failure_before_anything_is_written(blank: UnitDriver, key: str) -> None:
    name_tools(blank, bios=BIOS if key.startswith("Bios") else "", bmc=BMC if key.startswith("Ipmi") else "")
    error = blank.provision_fails()
    assert isinstance(error, ToolMissing)
    assert f"{key} of QEMU-mfg-test names it: build it into provision.pxe" in str(error)
    assert untouched(blank)


def test_the_built_in_tool_of_the_earlier_system_is_no_program(blank: UnitDriver) -> None:
    name_tools(blank, bmc="internal_ipmi")
    assert blank.provision() is StopReason.REBOOT
    assert blank.factory.states[-1] is ProcessState.MFG_SUCCEEDED


@pytest.mark.parametrize("can", [True, False])
def test_settings_that_no_tool_applies_are_a_failure_before_anything_is_written(blank: UnitDriver, can: bool) -> None:
    if can:  # a tool, but one that cannot
        name_tools(blank, bios=BIOS)
        blank.machine.setups[BIOS] = FakeSetup(abilities=frozenset({ToolAbility.PASSWORD}))
    with_settings(blank, BiosSettings=serve(blank, "bios.ini"))
    error = blank.provision_fails()
    assert isinstance(error, BadInput)
    assert [problem.place for problem in error.problems] == ["BiosSettings"]
    assert untouched(blank)


def test_a_server_that_is_down_when_a_restart_is_counted(unit: UnitDriver) -> None:
    """The unit does not restart without an answer: it might do so for ever."""
    unit.machine.setups[BIOS].storage = StorageMode.RAID

    def down(operation: str) -> None:
        if operation.startswith(BIOS):
            unit.factory.down = True

    unit.machine.hook = down
    assert "no connection in time" in str(unit.provision_fails())
    assert untouched(unit)


def test_a_server_that_records_no_runs_when_a_restart_is_counted(unit: UnitDriver) -> None:
    """It answers questions, but keeps no states (its disk is full): no number of restarts would ever be enough."""
    unit.machine.setups[BIOS] = FakeSetup(storage=StorageMode.RAID, stubborn=True)
    unit.factory.deaf = True
    error = unit.provision_fails()
    assert "has no record of this provisioning" in str(error)
    assert untouched(unit)


def test_a_report_that_arrives_late_is_waited_for_when_a_restart_is_counted(unit: UnitDriver) -> None:
    unit.machine.setups[BIOS].storage = StorageMode.RAID
    unit.factory.deaf = True

    def arrives(operation: str) -> None:
        if operation.startswith(BIOS):
            unit.factory.states.append(ProcessState.MFG_STARTED)

    unit.machine.hook = arrives
    assert unit.provision() is StopReason.REBOOT
