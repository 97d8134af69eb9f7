"""A factory that asks for one-time tokens, and power cuts: the unit proves itself with what it left on RECOVERY."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.new_worlds import SERIAL, new_world
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.event_text import event_text
from gprov.domain.events import ProcessState
from gprov.domain.factory.replies import FactoryRefused, Refusal
from tests.unit.flow.driver import UnitDriver

S = ProcessState
KEY = "/secrets/unit.key"


def strict_unit(firmware: FirmwareKind = FirmwareKind.UEFI) -> UnitDriver:
    world = new_world(firmware=firmware)
    world.factory.strict, world.invited = True, SERIAL
    return UnitDriver(world)


@pytest.mark.parametrize("firmware", FirmwareKind)
def test_a_lifecycle_with_tokens(firmware: FirmwareKind) -> None:
    unit = strict_unit(firmware)
    assert unit.provision() is StopReason.REBOOT
    assert unit.settle()[-1] == "switched root"
    assert unit.factory.states == [S.MFG_STARTED, S.MFG_SUCCEEDED, S.FR_STARTED, S.FR_SUCCEEDED]
    assert not unit.factory.ignored
    assert unit.node("RECOVERY", KEY).mode == 0o600
    secret = unit.read("RECOVERY", KEY).splitlines()[0].decode()
    shown = [event_text(event) for event in unit.factory.received] + unit.machine.messages
    shown += list(unit.factory.documents.values()) + list(unit.factory.reports.values())
    for token in ("0" * 32, secret):
        assert not [text for text in shown if token in text]
        assert not [run for run in unit.processes.runs if token in " ".join([*run.argv, *run.env.values()])]


def test_without_a_token_nothing_is_written_and_the_message_says_what_to_do() -> None:
    unit = strict_unit()
    unit.world.invited = ""
    error = unit.provision_fails()
    assert isinstance(error, FactoryRefused)
    assert error.refusal is Refusal.START_MISSING
    assert "gprov server token" in str(error)
    assert unit.factory.states == []
    assert not [disk for disk in unit.machine.disks if disk.table is not None]


def test_a_token_of_another_machine_does_not_help() -> None:
    unit = strict_unit()
    unit.world.invited = "OTHER"
    error = unit.provision_fails()
    assert isinstance(error, FactoryRefused)
    assert error.refusal is Refusal.START_OF_ANOTHER


def test_a_token_is_used_once() -> None:
    unit = strict_unit()
    token = unit.factory.issue_token(SERIAL)
    unit.world.invited = ""
    unit.provision(PROVISION_TOKEN=token)
    error = unit.provision_fails(PROVISION_TOKEN=token)
    assert isinstance(error, FactoryRefused)
    assert error.refusal is Refusal.START_USED


def test_without_the_secret_later_starts_change_nothing() -> None:
    unit = strict_unit()
    unit.provision()
    unit.remove("RECOVERY", KEY)
    unit.settle()
    assert unit.factory.states == [S.MFG_STARTED, S.MFG_SUCCEEDED]
    assert unit.factory.ignored == [S.FR_STARTED, S.FR_SUCCEEDED]


def test_a_unit_that_was_provisioned_has_to_be_reopened() -> None:
    unit = strict_unit()
    unit.provision()
    error = unit.provision_fails()
    assert isinstance(error, FactoryRefused)
    assert error.refusal is Refusal.SEALED
    unit.factory.reopen(SERIAL)
    assert unit.provision() is StopReason.REBOOT


def test_a_cut_at_any_operation_of_a_provisioning_needs_no_person() -> None:
    """After the hand-out, too: the secret is on RECOVERY then."""
    unit = strict_unit()
    names = [name for name, _ in unit.cut_everywhere(UnitDriver.provision, in_factory=True)]
    assert any(KEY in name for name in names)


def test_a_cut_at_any_operation_of_a_second_provisioning_needs_no_person() -> None:
    unit = strict_unit()
    operations = unit.operations(UnitDriver.provision)
    last = len(operations) - 1
    unit.cut(last, UnitDriver.provision)
    assert unit.factory.access[SERIAL].holder
    for _ in unit.cut_everywhere(UnitDriver.provision, in_factory=True):
        pass


def test_a_thief_after_the_hand_out_is_refused_and_the_unit_goes_on() -> None:
    unit = strict_unit()
    unit.cut(len(unit.operations(UnitDriver.provision)) - 1, UnitDriver.provision)
    thief = strict_unit()
    thief.world.factory = unit.factory
    error = thief.provision_fails()
    assert isinstance(error, FactoryRefused)
    assert error.refusal is Refusal.HANDED_OUT
    assert unit.factory.access[SERIAL].concern
    assert unit.provision() is StopReason.REBOOT
