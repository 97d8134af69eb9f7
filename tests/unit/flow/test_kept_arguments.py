"""Kernel arguments that the factory gave a unit stay in its boot entries, or its menus, after every restore."""

from __future__ import annotations

import shlex

import pytest

from gprov.adapters.fake.firmware.uefi import select_boot_entry
from gprov.adapters.fake.machine.stop import StopReason
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.menus import RECOVERY_TITLE
from gprov.domain.formats.efi.load_option import decode_arguments, parse_load_option
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver

WORKAROUND = "pci=nomsi nomodeset"
FOREVER = f"{WORKAROUND} PROVISION_KEY_WINDOW=0"
KEPT = "/boot.args"


def with_arguments(firmware: FirmwareKind) -> UnitDriver:
    """A running unit that was provisioned with kernel arguments."""
    unit = units.blank(firmware=firmware)
    assert unit.provision(PROVISION_BOOT_ARGS=WORKAROUND, PROVISION_KEY_WINDOW="0") is StopReason.REBOOT
    assert unit.boot() is StopReason.REBOOT
    assert unit.boot() is StopReason.SWITCHED_ROOT
    return unit


@pytest.fixture
def unit(firmware: FirmwareKind) -> UnitDriver:
    return with_arguments(firmware)


@pytest.fixture
def on_uefi() -> UnitDriver:
    return with_arguments(FirmwareKind.UEFI)


def kept(unit: UnitDriver) -> bytes:
    node = unit.node("RECOVERY", KEPT)
    assert node.mode == 0o600
    return node.content


def restore(unit: UnitDriver) -> None:
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT


def passed_on(unit: UnitDriver) -> str:
    """The arguments behind ``real_root`` of a normal start, in the firmware's boot entry or the boot loader's menu."""
    if unit.machine.firmware is FirmwareKind.UEFI:
        options = [
            parse_load_option(variable.data)
            for name, variable in unit.machine.nvram.items()
            if name.name.startswith("Boot0")
        ]
        [line] = [decode_arguments(option.data) for option in options if option.description == "Normal Boot"]
    else:
        node = unit.volume("BOOT").current.get("/gprov/normal.cfg")
        assert node is not None
        [line, *_] = [line for line in node.content.decode().splitlines() if "real_root=" in line]
    words = shlex.split(line)
    return " ".join(words[[word.startswith("real_root=") for word in words].index(True) + 1 :])


def test_every_restore_passes_on_the_arguments_of_the_factory(unit: UnitDriver) -> None:
    assert passed_on(unit) == FOREVER
    assert not unit.exists("RECOVERY", "/fr.data")
    for _ in range(2):
        restore(unit)
        assert passed_on(unit) == FOREVER
        assert kept(unit) == f"{FOREVER}\n".encode()


def test_a_restore_that_was_started_without_arguments_passes_them_on(on_uefi: UnitDriver) -> None:
    """The firmware has lost its variables and starts the fallback loader, which has no arguments."""
    on_uefi.machine.nvram.clear()
    restore(on_uefi)
    assert passed_on(on_uefi) == FOREVER


def test_arguments_in_fr_data_replace_the_kept_values_for_all_later_restores(unit: UnitDriver) -> None:
    unit.put("RECOVERY", "/fr.data", b'{"BootArgs": "pci=noaer PROVISION_ROOT_WAIT=60"}')
    for _ in range(2):
        restore(unit)
        assert passed_on(unit) == "pci=noaer nomodeset PROVISION_KEY_WINDOW=0 PROVISION_ROOT_WAIT=60"


def test_an_argument_that_a_person_removes_from_the_file_is_not_passed_on(unit: UnitDriver) -> None:
    unit.put("RECOVERY", KEPT, b"pci=nomsi\n\n")
    restore(unit)
    assert passed_on(unit) == "pci=nomsi PROVISION_KEY_WINDOW=0"
    assert kept(unit) == b"pci=nomsi PROVISION_KEY_WINDOW=0\n"


@pytest.mark.parametrize("damage", [b"\0" * 4096, b"x" * 5000, b"a=" + b"x" * 4000, b"a\xff"])
def test_a_damaged_file_is_reported_and_does_not_stop_a_restore(unit: UnitDriver, damage: bytes) -> None:
    unit.put("RECOVERY", KEPT, damage)
    restore(unit)
    assert "kept boot arguments not used" in unit.log()
    assert passed_on(unit) == "PROVISION_KEY_WINDOW=0"
    assert kept(unit) == b"PROVISION_KEY_WINDOW=0\n"
    assert unit.boot() is StopReason.SWITCHED_ROOT


def test_kept_arguments_stay_when_those_of_fr_data_are_too_long_for_a_boot_entry(unit: UnitDriver) -> None:
    unit.put("RECOVERY", "/fr.data", b'{"BootArgs": "a=' + b"x" * 5000 + b'"}')
    restore(unit)
    assert passed_on(unit) == FOREVER


def test_arguments_of_fr_data_are_used_when_the_kept_ones_are_too_long_for_a_boot_entry(unit: UnitDriver) -> None:
    """This restore removes ``fr.data``, so that they would be lost."""
    unit.put("RECOVERY", KEPT, b"a=" + b"x" * 4000)
    unit.put("RECOVERY", "/fr.data", b'{"BootArgs": "pci=noaer"}')
    restore(unit)
    assert passed_on(unit) == "pci=noaer PROVISION_KEY_WINDOW=0"
    assert kept(unit) == b"pci=noaer PROVISION_KEY_WINDOW=0\n"


def test_an_argument_for_erasing_is_not_passed_on_though_quotes_disguise_it(unit: UnitDriver) -> None:
    """GRUB removes the quotes when it passes arguments on."""
    unit.put("RECOVERY", KEPT, b'DATA"_ERASE"=1 pci=nomsi')
    restore(unit)
    assert passed_on(unit) == "pci=nomsi PROVISION_KEY_WINDOW=0"
    assert unit.boot() is StopReason.SWITCHED_ROOT


@pytest.mark.parametrize("value", ["0", "1"])
@pytest.mark.parametrize("path", [KEPT, "/fr.data"])
def test_the_argument_of_the_fallback_loader_is_not_kept(unit: UnitDriver, path: str, value: str) -> None:
    """It makes a BIOS unit restore itself; a person may have copied it from a kernel's command line."""
    word = f"PROVISION_LOADER_FALLBACK={value}"
    unit.put("RECOVERY", path, word.encode() if path == KEPT else f'{{"BootArgs": "{word}"}}'.encode())
    restore(unit)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    if unit.machine.firmware is FirmwareKind.BIOS:
        unit.machine.restart()
        select_boot_entry(unit.machine, RECOVERY_TITLE, "")
        assert unit.boot() is StopReason.SWITCHED_ROOT
