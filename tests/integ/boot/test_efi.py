"""The efivarfs adapter on a plain folder, and the fake, under the contract that real firmware is put to as well."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from gprov.adapters.fake.firmware.firmware import FakeFirmware
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.linux.firmware.efivars import EfivarsFirmware
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.formats.efi.variables import EFI_GLOBAL, Variable, VariableName

ORDER = VariableName("BootOrder")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "efivars").mkdir()
    (tmp_path / "efivars" / f"BootOrder-{EFI_GLOBAL}").write_bytes(b"\x07\0\0\0\x01\0")
    return tmp_path


@pytest.fixture
def firmware(root: Path) -> EfivarsFirmware:
    return EfivarsFirmware(str(root))


def test_the_fake_keeps_the_contract(firmware_contract: ModuleType) -> None:
    firmware = FakeFirmware(SimulatedMachine())
    for rule in firmware_contract.CONTRACT:
        firmware_contract.clean(firmware)
        rule(firmware)


def test_a_folder_keeps_the_contract_as_far_as_files_can(
    firmware: EfivarsFirmware, firmware_contract: ModuleType
) -> None:
    """In a plain file, unlike efivarfs, a short write leaves the rest of a longer value."""
    for rule in firmware_contract.CONTRACT:
        if rule is not firmware_contract.a_value_is_replaced_whole:
            firmware_contract.clean(firmware)
            rule(firmware)


def test_a_variable_is_attributes_and_data(root: Path, firmware: EfivarsFirmware) -> None:
    assert firmware.read(ORDER) == Variable(7, b"\x01\0")
    firmware.write(VariableName("Timeout"), Variable(0x27, b"\x05\0"))
    assert (root / "efivars" / f"Timeout-{EFI_GLOBAL}").read_bytes() == b"\x27\0\0\0\x05\0"


def test_names_hold_dashes_and_vendors(root: Path, firmware: EfivarsFirmware) -> None:
    (root / "efivars" / f"with-dash-{EFI_GLOBAL}").touch()
    (root / "efivars" / "no variable").touch()
    assert firmware.variables() == (ORDER, VariableName("with-dash"))


def test_the_firmware_folder_determines_the_kind(root: Path) -> None:
    assert EfivarsFirmware(str(root)).kind() is FirmwareKind.UEFI
    bios = EfivarsFirmware(str(root / "none"))
    assert bios.kind() is FirmwareKind.BIOS
    assert bios.variables() == ()


def test_efivarfs_that_is_not_mounted_is_an_error(tmp_path: Path) -> None:
    for folder in ("empty", "missing"):
        (tmp_path / folder).mkdir()
    (tmp_path / "empty" / "efivars").mkdir()
    for folder in ("empty", "missing"):
        with pytest.raises(DeviceMissing):
            EfivarsFirmware(str(tmp_path / folder)).variables()


def test_an_uncommitted_variable_is_ignored(root: Path, firmware: EfivarsFirmware) -> None:
    (root / "efivars" / f"Boot0001-{EFI_GLOBAL}").touch()
    assert firmware.read(VariableName("Boot0001")) is None


def test_a_file_that_is_not_a_variable_is_reported(root: Path, firmware: EfivarsFirmware) -> None:
    (root / "efivars" / f"Boot0001-{EFI_GLOBAL}").write_bytes(b"\x07\0")
    with pytest.raises(DeviceFault, match="2 bytes are too few for a variable"):
        firmware.read(VariableName("Boot0001"))


def test_invalid_variables_are_refused(root: Path, firmware: EfivarsFirmware) -> None:
    with pytest.raises(DeviceFault, match="no empty variables"):
        firmware.write(VariableName("Timeout"), Variable(7, b""))
    for name in ("../x", "", "a\0b"):
        with pytest.raises(DeviceFault, match="cannot be the name"):
            firmware.write(VariableName(name), Variable(7, b"x"))
    assert os.listdir(root) == ["efivars"]


def test_a_failing_write_is_an_error_and_leaves_no_file(root: Path, firmware: EfivarsFirmware) -> None:
    """/dev/full refuses each write as a full NVRAM does."""
    path = root / "efivars" / f"Timeout-{EFI_GLOBAL}"
    path.symlink_to("/dev/full")
    with pytest.raises(DeviceFault, match="the NVRAM is full"):
        firmware.write(VariableName("Timeout"), Variable(7, b"x"))
    assert path.is_symlink()  # what existed before is left to the firmware


@pytest.mark.device
def test_the_immutable_flag_is_lifted_for_a_write_and_set_again(root: Path, firmware: EfivarsFirmware) -> None:
    path = str(root / "efivars" / f"BootOrder-{EFI_GLOBAL}")
    if os.geteuid() != 0 or subprocess.run(["chattr", "+i", path], capture_output=True, check=False).returncode:
        pytest.skip("needs root and a file system with inode flags")
    try:
        firmware.write(ORDER, Variable(7, b"\x02\0"))
        flags = subprocess.run(["lsattr", path], capture_output=True, text=True, check=True).stdout.split()[0]
        assert firmware.read(ORDER) == Variable(7, b"\x02\0")
        assert "i" in flags
        firmware.delete(ORDER)
        assert firmware.read(ORDER) is None
    finally:
        subprocess.run(["chattr", "-i", path], capture_output=True, check=False)
