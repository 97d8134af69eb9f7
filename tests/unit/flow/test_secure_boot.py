"""Units whose firmware starts only what is signed: what it refuses, and which kernels a restore puts in place."""

from __future__ import annotations

import pytest
from typing_extensions import override

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.firmware.secure_boot import enrol, sign_program
from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.factory_files import BASE_URL, publish
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.errors import DeviceFault, DeviceMissing, RefusedByPolicy
from gprov.domain.formats.efi.boot_variables import BOOT_CURRENT, BOOT_ORDER
from gprov.domain.formats.efi.variables import VariableName
from gprov.domain.formats.pe import authenticode_digest, parse_pe
from gprov.ports.code_signatures import CodeSignatures
from tests.unit.flow import units
from tests.unit.flow.driver import KERNELS, NEWER, NORMAL, UnitDriver

MAIN, SECOND = KERNELS
CERTIFICATE, ANOTHER = b"the owner's certificate", b"another certificate"


def signed(build: int, certificate: bytes = CERTIFICATE) -> bytes:
    return sign_program(build_kernel(build), certificate)


def digest(kernel: bytes) -> bytes:
    return authenticode_digest(parse_pe(kernel), kernel)


def altered(kernel: bytes) -> bytes:
    return kernel[:0x1000] + b"\xff" + kernel[0x1001:]


@pytest.fixture
def secured() -> UnitDriver:
    """A unit that runs, with two signed kernels and Secure Boot on."""
    unit = units.running()
    for path in KERNELS:
        unit.put("ESP", path, signed(100))
    enrol(unit.machine, CERTIFICATE)
    return unit


def add_newer(unit: UnitDriver, kernel: bytes) -> None:
    """A newer image on RECOVERY, which the next start restores."""
    unit.put("RECOVERY", f"/Image/{NEWER}", build_image(kernel))
    unit.remove_flag()


def kernels(unit: UnitDriver) -> list[bytes]:
    return [unit.read("ESP", path) for path in KERNELS]


def started_from_fallback(unit: UnitDriver) -> bool:
    return VariableName(BOOT_CURRENT) not in unit.machine.nvram


def test_a_unit_with_signed_kernels_starts_and_restores_itself(secured: UnitDriver) -> None:
    assert secured.settle() == ("switched root",)
    assert not started_from_fallback(secured)
    secured.remove_flag()
    assert secured.settle() == ("reboot", "switched root")
    assert kernels(secured) == [signed(100)] * 2
    assert "not usable" not in secured.warnings()


@pytest.mark.parametrize(
    "main", [build_kernel(100), altered(signed(100)), signed(100, ANOTHER)], ids=["unsigned", "altered", "another's"]
)
def test_the_firmware_refuses_the_first_kernel_and_starts_the_second(secured: UnitDriver, main: bytes) -> None:
    secured.put("ESP", MAIN, main)
    assert secured.settle() == ("switched root",)
    assert started_from_fallback(secured)


def test_an_old_kernel_is_refused_by_its_hash(secured: UnitDriver) -> None:
    secured.put("ESP", MAIN, signed(99))
    enrol(secured.machine, CERTIFICATE, [digest(signed(99))])
    assert secured.settle() == ("switched root",)
    assert started_from_fallback(secured)


def test_without_any_signed_kernel_nothing_starts(secured: UnitDriver) -> None:
    for path in KERNELS:
        secured.put("ESP", path, build_kernel(100))
    with pytest.raises(DeviceMissing):
        secured.boot()


@pytest.mark.parametrize(
    ("kernel", "reason"),
    [
        (build_kernel(101), "it is not signed"),
        (signed(101, ANOTHER), "no certificate of db has signed it"),
        (altered(signed(101)), "it was changed after it was signed"),
    ],
    ids=["unsigned", "another's", "altered"],
)
def test_a_restore_does_not_install_what_the_firmware_refuses(secured: UnitDriver, kernel: bytes, reason: str) -> None:
    """The system of the newer image runs on the kernel that is there."""
    add_newer(secured, kernel)
    assert secured.settle() == ("reboot", "switched root")
    assert not started_from_fallback(secured)
    assert secured.systems() == [NEWER]
    assert kernels(secured) == [signed(100)] * 2
    assert "Secure Boot is on, and the firmware would not start it" in secured.warnings()
    assert reason in secured.warnings()


def test_a_revoked_kernel_is_not_installed(secured: UnitDriver) -> None:
    enrol(secured.machine, CERTIFICATE, [digest(signed(101))])
    add_newer(secured, signed(101))
    assert secured.settle() == ("reboot", "switched root")
    assert kernels(secured) == [signed(100)] * 2
    assert "it is revoked: dbx has its hash" in secured.warnings()


def test_a_newer_signed_kernel_replaces_the_first_and_the_previous_one_stays_as_second(secured: UnitDriver) -> None:
    add_newer(secured, signed(101))
    assert secured.settle() == ("reboot", "switched root")
    assert kernels(secured) == [signed(101), signed(100)]
    secured.machine.restart()
    secured.remove_flag()
    assert secured.settle() == ("reboot", "switched root")
    assert kernels(secured) == [signed(101)] * 2  # the firmware has started the first one since


def test_the_kernel_before_the_last_is_not_kept(secured: UnitDriver) -> None:
    """The second copy becomes the kernel that runs, then the first one the newer."""
    secured.put("ESP", SECOND, signed(99))
    add_newer(secured, signed(101))
    assert secured.settle() == ("reboot", "switched root")
    assert kernels(secured) == [signed(101), signed(100)]


def test_a_first_kernel_that_did_not_start_does_not_replace_the_second(secured: UnitDriver) -> None:
    """The firmware has lost its entries and starts the fallback loader; for all that is known, it refuses the first."""
    secured.put("ESP", SECOND, signed(99))
    secured.machine.nvram.pop(VariableName(BOOT_ORDER))
    add_newer(secured, signed(101))
    assert secured.settle() == ("reboot", "switched root")
    assert kernels(secured) == [signed(101), signed(99)]


def test_a_restore_replaces_a_first_kernel_that_the_firmware_refuses(secured: UnitDriver) -> None:
    secured.put("ESP", MAIN, build_kernel(100))
    add_newer(secured, signed(101))
    assert secured.settle() == ("reboot", "switched root")
    assert kernels(secured) == [signed(101), signed(100)]
    assert not started_from_fallback(secured)
    assert f"{MAIN} is not usable: the firmware does not start it: it is not signed" in secured.warnings()


class _Unable(CodeSignatures):
    @override
    def verifies(self, signature: bytes, digest: bytes, certificate: bytes) -> bool:
        raise DeviceFault("libcrypto", "cannot be loaded")


class _Strict(CodeSignatures):
    @override
    def verifies(self, signature: bytes, digest: bytes, certificate: bytes) -> bool:
        return False


@pytest.mark.parametrize("check", [_Unable(), _Strict()], ids=["unable", "too strict"])
@pytest.mark.parametrize("newer", [False, True])
def test_a_check_that_refuses_what_the_firmware_starts_leaves_a_unit_that_restores_itself(
    secured: UnitDriver, check: CodeSignatures, newer: bool
) -> None:
    """PRIMARY is overwritten by then: a restore that fails for its kernels would be repeated for ever."""

    def install(container: UnitContainer) -> None:
        set_value(container.code_signatures, check)

    secured.world.install = install
    if newer:
        add_newer(secured, signed(101))
    secured.remove_flag()
    assert secured.settle() == ("reboot", "switched root")
    assert kernels(secured) == [signed(100)] * 2
    assert "the firmware has started this unit: no kernel is replaced" in secured.warnings()


def test_kernels_that_the_firmware_refuses_are_replaced_by_one_that_it_starts(secured: UnitDriver) -> None:
    """The unit was started from other media."""
    add_newer(secured, signed(101))
    for path in KERNELS:
        secured.put("ESP", path, build_kernel(100))
    assert secured.boot(NORMAL) is StopReason.REBOOT
    assert kernels(secured) == [signed(101), build_kernel(100)]
    assert secured.settle() == ("switched root",)


@pytest.mark.parametrize("torn", [False, True])
def test_a_power_cut_at_any_point_of_an_update_leaves_a_kernel_that_starts(secured: UnitDriver, torn: bool) -> None:
    add_newer(secured, signed(101))
    for name, unit in secured.cut_everywhere(torn=torn):
        assert signed(101) in kernels(unit), name
        assert set(kernels(unit)) <= {signed(100), signed(101)}, name


def blank_and_secured(kernel: bytes) -> UnitDriver:
    unit = units.blank()
    enrol(unit.machine, CERTIFICATE)
    images = [name for name in unit.origin.content if name.endswith(".upd")]
    files = {name.removeprefix(f"{BASE_URL}/"): build_image(kernel) for name in images}
    publish(unit.origin, {**files, "norm_boot": kernel})
    return unit


def test_provisioning_with_a_signed_kernel() -> None:
    unit = blank_and_secured(signed(100))
    unit.provision()
    assert unit.settle() == ("reboot", "switched root")
    assert kernels(unit) == [signed(100)] * 2


def test_provisioning_refuses_a_kernel_that_the_firmware_would_not_start() -> None:
    """Before the unit becomes bootable."""
    unit = blank_and_secured(build_kernel(100))
    error = unit.provision_fails()
    assert isinstance(error, RefusedByPolicy)
    assert "the firmware would not start it: it is not signed" in str(error)
    assert not unit.exists("ESP", SECOND)
