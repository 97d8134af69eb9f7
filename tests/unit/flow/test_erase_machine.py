"""Data erase of a unit with its options for UEFI variables and TPM: what is left, reported, certified, and resumed."""

from __future__ import annotations

import json

import pytest

from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.erase.certificate import parse_certificate
from gprov.domain.erase.certificate_page import certificate_page
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.report import OptionStatus
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.formats.tpm.objects import STORAGE_ROOT_KEY
from tests.unit.erase.test_owner_variables import CRASH, GONE, LOADER, entry, numbers, on
from tests.unit.flow import units
from tests.unit.flow.driver import FailsAt, UnitDriver
from tests.unit.flow.test_erase_flow import CERTIFICATE, CONFIRMED, RECORD, data_disks, report

OPTIONS = "clear-uefi-variables:yes,clear-tpm:yes"
START = {**CONFIRMED, "DATA_ERASE_OPTIONS": OPTIONS, "PROVISION_XLOG": "http://factory/"}
DUMP = VariableName("dump-type0-1-1-1700000000-C", CRASH)
SEED = VariableName("LoaderRandomSeed", LOADER)
UBUNTU = VariableName("Boot0042")


def used(firmware: FirmwareKind = FirmwareKind.UEFI) -> UnitDriver:
    """A running unit with what an earlier system left in the machine."""
    unit = units.running(firmware=firmware)
    unit.machine.tpm = FakeTpmChip()
    if firmware is FirmwareKind.UEFI:
        nvram, order = unit.machine.nvram, VariableName("BootOrder")
        nvram[DUMP] = nvram[SEED] = Variable(7, b"data of a user")
        nvram[UBUNTU] = entry("ubuntu", on(GONE))
        nvram[order] = Variable(7, nvram[order].data + numbers(0x42).data)
    return unit


def erase(unit: UnitDriver) -> StopReason:
    return unit.boot(START)


def options(unit: UnitDriver) -> list[tuple[str, str, str]]:
    found = report(unit)["options"]
    assert isinstance(found, list)
    return [(one["name"], one["status"], one["detail"]) for one in found if isinstance(one, dict)]


def statuses(unit: UnitDriver) -> dict[str, str]:
    return {name: status for name, status, _ in options(unit) if name != "UEFI variable"}


def chip(unit: UnitDriver) -> FakeTpmChip:
    assert unit.machine.tpm is not None
    return unit.machine.tpm


def left(unit: UnitDriver) -> set[VariableName]:
    return {DUMP, SEED, UBUNTU} & set(unit.machine.nvram)


def test_variables_and_tpm_are_cleared_and_the_certificate_states_it() -> None:
    unit = used()
    own = {name: variable for name, variable in unit.machine.nvram.items() if name not in (DUMP, SEED, UBUNTU)}
    order = own.pop(VariableName("BootOrder"))
    assert erase(unit) is StopReason.REBOOT
    assert left(unit) == set()
    assert not chip(unit).holds_owner_data
    assert own.items() <= unit.machine.nvram.items()
    assert unit.machine.nvram[VariableName("BootOrder")] == Variable(7, order.data[:-2])
    assert statuses(unit)["UEFI variables"] == statuses(unit)["TPM"] == "done"
    certificate = unit.read("RECOVERY", CERTIFICATE)
    stated = {one.name: one.status for one in parse_certificate(certificate).report.options}
    assert stated["TPM"] is OptionStatus.DONE
    page = certificate_page(certificate)
    assert DUMP.name in page
    assert "cleared by TPM2_Clear" in page
    assert unit.settle()[-1] == "switched root"


def test_what_was_not_asked_for_stays_and_is_stated_as_that() -> None:
    unit = used()
    unit.boot(CONFIRMED)
    assert left(unit) == {DUMP, SEED, UBUNTU}
    assert chip(unit).received == []
    assert statuses(unit)["UEFI variables"] == statuses(unit)["TPM"] == "not requested"


def test_a_bios_unit_has_no_variables_to_clear() -> None:
    unit = used(FirmwareKind.BIOS)
    assert erase(unit) is StopReason.REBOOT
    assert statuses(unit)["UEFI variables"] == "not present"
    assert statuses(unit)["TPM"] == "done"
    assert unit.settle()[-1] == "switched root"


def test_a_tpm_that_cannot_be_cleared_fails_the_erase_and_a_person_sees_it() -> None:
    unit = used()
    chip(unit).lockout_password = True
    assert erase(unit) is StopReason.REBOOT
    assert report(unit)["verdict"] == "erased"
    assert statuses(unit) == statuses(unit) | {"TPM": "failed", "UEFI variables": "done"}
    assert "TPM: failed: not cleared: the password of its lockout hierarchy is set" in unit.errors()
    assert unit.boot() is StopReason.REBOOT
    assert json.loads(unit.read("RECOVERY", RECORD))["State"] == "failed"


def test_a_request_to_the_firmware_is_pending_and_no_failure() -> None:
    unit = used()
    chip(unit).lockout_password = chip(unit).presence = True
    erase(unit)
    assert statuses(unit)["TPM"] == "pending"
    assert "not cleared yet" in unit.warnings()
    assert not unit.exists("RECOVERY", RECORD)


def test_a_variable_that_cannot_be_removed_fails_the_erase() -> None:
    unit = used()
    unit.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where=f"nvram delete {SEED.name}"))
    erase(unit)
    assert left(unit) == {SEED}
    assert statuses(unit)["UEFI variables"] == "failed"
    assert "1 of 3 could not be removed" in unit.errors()


def test_they_are_cleared_although_a_disk_failed() -> None:
    unit = used()
    [primary] = data_disks(unit)
    primary.media.dropped = (Extent(1 << 30, (1 << 30) + (1 << 20)),)
    erase(unit)
    assert report(unit)["verdict"] == "partial"
    assert left(unit) == set()
    assert not chip(unit).holds_owner_data


def test_a_person_is_asked_about_them() -> None:
    unit = used()
    unit.machine.operator_present, unit.machine.keys = True, ["yes", "yes"]
    unit.boot({"DATA_ERASE": "1", "DATA_ERASE_OPTIONS": OPTIONS})
    assert "UEFI variables of earlier systems, and all that the TPM holds?" in "\n".join(unit.machine.messages)


@pytest.mark.parametrize("torn", [False, True])
def test_a_cut_anywhere_repeats_what_is_not_done_and_loses_no_result(torn: bool) -> None:
    """Also one between the disks and the machine's data, or between two variables."""
    unit = used()
    names = unit.operations(erase)
    first = next(at for at, name in enumerate(names) if name.startswith("nvram BootOrder"))
    for at in range(first - 2, len(names)):
        copy = unit.copy()
        copy.machine.torn_cuts = torn
        copy.cut(at, erase)
        assert copy.settle()[-1] == "switched root", names[at]
        assert left(copy) == set(), names[at]
        # The restore has sealed RECOVERY's secrets to it.
        assert chip(copy).persistent == [0x81800001, STORAGE_ROOT_KEY], names[at]
        assert not chip(copy).owned, names[at]
        assert statuses(copy)["TPM"] == "done", names[at]
        detail = " ".join(text for _, _, text in options(copy))
        for name in (DUMP, SEED, UBUNTU):
            assert f"{name.name}-{name.vendor}" in detail, (names[at], detail)


def test_a_fault_of_the_firmware_or_tpm_is_never_reported_as_done() -> None:
    unit = used()
    for at, name in enumerate(names := unit.operations(erase)):
        if not name.startswith(("nvram", "command to the TPM")):
            continue
        copy = unit.copy()
        copy.machine.hook = FailsAt(at)
        erase(copy)
        done = statuses(copy)
        assert done["UEFI variables"] != "done" or left(copy) == set(), (name, names)
        assert done["TPM"] != "done" or not chip(copy).holds_owner_data, name
        assert "failed" in done.values(), name
