"""RECOVERY and ESP that are worn out, write-protected or full: the unit must restore itself all the same."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceFault
from tests.unit.flow import units
from tests.unit.flow.driver import FLAG, KERNELS, NEWER, NORMAL, UnitDriver


@pytest.fixture
def unit(flagless: UnitDriver) -> UnitDriver:
    """Most tests here begin with a unit that is about to be restored."""
    return flagless


def add_newer_image(unit: UnitDriver, kernel: int) -> None:
    unit.add_image(kernel=kernel, files={"etc/newer": b""})


class WornOut:
    """A hook: from operation ``first`` on, writes to RECOVERY and its ESP fail; and the power goes when these are
    unmounted after a restore."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._number = 0
        self._restored = False

    def __call__(self, operation: str) -> None:
        self._number += 1
        self._restored = self._restored or operation.startswith("unmount /mnt/PRIMARY")
        if "/mnt/RECOVERY" not in operation or operation.startswith("mount"):
            return
        if operation.startswith("unmount"):
            if self._restored:
                raise MachineStopped(StopReason.POWER_CUT)
        elif self._number > self._first:
            raise DeviceFault(operation, "input/output error")


def fill(unit: UnitDriver, label: str) -> None:
    unit.volume(label).size = unit.volume(label).current.size()


@pytest.mark.parametrize("target", ["/mnt/RECOVERY", "/mnt/RECOVERY/ESP"])
def test_a_restore_succeeds_though_every_flush_of_recovery_or_esp_fails(firmware: FirmwareKind, target: str) -> None:
    unit = units.running(firmware=firmware)
    unit.remove_flag()

    def hook(operation: str) -> None:
        if operation == f"sync {target}":
            raise DeviceFault(target, "cannot flush: input/output error")

    unit.machine.hook = hook
    assert unit.settle() == ("reboot", "switched root")


def test_a_unit_without_any_kernel_is_not_restored_before_one_is_flushed(unit: UnitDriver) -> None:
    for name in KERNELS:
        unit.put("ESP", name, b"damaged")

    def hook(operation: str) -> None:
        if operation == "sync /mnt/RECOVERY/ESP":
            raise DeviceFault("/mnt/RECOVERY/ESP", "cannot flush: input/output error")

    unit.machine.hook = hook
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert not unit.exists("PRIMARY", FLAG)


@pytest.mark.parametrize("damaged", [False, True], ids=["whole kernels", "no kernel"])
def test_whenever_recovery_stops_taking_writes_a_unit_with_its_flag_can_be_started(
    firmware: FirmwareKind, damaged: bool
) -> None:
    """Writes fail from each operation on in turn, and what is not flushed is lost with the power."""
    unit = units.running(firmware=firmware)
    label, paths = (
        ("ESP", KERNELS) if firmware is FirmwareKind.UEFI else ("RECOVERY", ("/norm_boot", "/gprov/norm_boot"))
    )
    for path in paths if damaged else ():
        assert unit.exists(label, path)
        unit.put(label, path, b"damaged")
    unit.remove_flag()
    add_newer_image(unit, 101)
    unit.machine.torn_cuts = True
    names = unit.operations(lambda one: one.boot(NORMAL))
    restored = 0
    for first in (at for at, name in enumerate(names) if "/mnt/RECOVERY" in name):
        one = unit.copy()
        one.machine.hook = WornOut(first)
        one.boot(NORMAL)
        one.machine.hook = None
        if one.exists("PRIMARY", FLAG):
            restored += 1
            assert one.settle() == ("switched root",), names[first]
    assert restored


@pytest.mark.parametrize("kernel", [99, 100, 101])
def test_a_write_protected_recovery_still_restores(unit: UnitDriver, kernel: int) -> None:
    add_newer_image(unit, kernel)
    unit.machine.disks[1].write_protected = True
    before = unit.machine.media_state()["sdb"]
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [NEWER]
    assert unit.machine.media_state()["sdb"] == before
    assert "is write-protected" in unit.log()
    assert unit.build_number("PRIMARY", "/boot/norm_boot") == max(100, kernel)


def test_a_full_recovery_still_restores(unit: UnitDriver) -> None:
    fill(unit, "RECOVERY")
    assert unit.settle() == ("reboot", "switched root")
    assert "no space left on device" in unit.log()


def test_an_esp_without_room_for_the_new_kernel_keeps_the_old_one(unit: UnitDriver) -> None:
    image = build_image(build_kernel(101) + bytes(4096))
    unit.put("RECOVERY", f"/Image/{NEWER}", image)
    fill(unit, "ESP")
    assert unit.settle() == ("reboot", "switched root")
    assert [unit.build_number("ESP", path) for path in KERNELS] == [100, 100]
    assert "going on without: copy kernel /mnt/PRIMARY/boot/norm_boot to" in unit.log()


@pytest.mark.parametrize("name", KERNELS)
def test_a_damaged_kernel_on_a_write_protected_esp_does_not_stop_a_restore(unit: UnitDriver, name: str) -> None:
    unit.put("ESP", name, b"damaged")
    unit.machine.disks[1].write_protected = True
    assert unit.settle() == ("reboot", "switched root")
    assert "going on without: copy kernel" in unit.log()


def test_nvram_without_room_does_not_stop_a_restore(unit: UnitDriver) -> None:
    unit.machine.nvram.clear()

    def hook(operation: str) -> None:
        if operation.startswith("nvram"):
            raise DeviceFault("NVRAM", "no space left on device")

    unit.machine.hook = hook
    assert unit.settle() == ("reboot", "switched root")
    assert "going on without: set boot entries" in unit.log()
