"""What a kernel was built with, and units that get keys after years without."""

from __future__ import annotations

import json

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.signed_factory import build_in, signed_files
from gprov.domain.image.history import parse_history
from gprov.domain.image.manifest import Release
from gprov.domain.trust import built_in
from gprov.domain.trust.policy import TrustPolicy
from tests.unit.flow import units
from tests.unit.flow.driver import HISTORY, NEWER, NORMAL, UnitDriver
from tests.unit.flow.trust_units import (
    BESIDE_IMAGES,
    FIRST,
    MENU,
    RATCHETS,
    THIRD,
    add,
    confirm,
    emergency,
    restore,
    running,
    stick,
)


@pytest.fixture(params=[False, True], ids=["no TPM", "TPM"])
def unit(request: pytest.FixtureRequest) -> UnitDriver:
    return running(tpm=request.param)


@pytest.mark.parametrize(
    ("built_in_files", "refused"),
    [
        ({built_in.CHAIN_PATH: FIRST.chain}, True),
        ({built_in.CHAIN_PATH: FIRST.chain, built_in.POLICY_FILE: b"wran\n"}, True),
        ({built_in.CHAIN_PATH: FIRST.chain, built_in.POLICY_FILE: b""}, True),
        ({built_in.CHAIN_PATH: FIRST.chain, built_in.POLICY_FILE: b"warn\n"}, False),
        ({built_in.CHAIN_PATH: b"damaged", built_in.POLICY_FILE: b"enforce\n"}, True),
        ({built_in.CHAIN_PATH: b"damaged"}, True),
        ({built_in.CHAIN_PATH: FIRST.chain, built_in.POLICY_FILE: b"warn".ljust(64)}, False),
        ({built_in.CHAIN_PATH: FIRST.chain, built_in.POLICY_FILE: b"warn".ljust(65)}, True),
        ({built_in.POLICY_FILE: b"enforce\n"}, True),
        ({built_in.POLICY_FILE: b"warn\n"}, False),
        ({}, False),
    ],
)
def test_a_kernel_that_is_damaged_or_says_nothing_is_not_lenient(
    built_in_files: dict[str, bytes], refused: bool
) -> None:
    unit = running()
    unit.world.built_in = dict(built_in_files)
    unit.add_image(NEWER)
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert (unit.systems() != [NEWER]) == refused


def test_a_kernel_whose_keys_are_damaged_does_not_look_at_other_chains() -> None:
    """It could not tell whose they are."""
    unit = running()
    unit.world.built_in = {built_in.CHAIN_PATH: b"damaged"}
    stick(unit, {**emergency(), "trust.chain": b"damaged, too"})
    unit.boot()
    assert unit.systems() == [IMAGE_NAME]
    assert f"{built_in.CHAIN_PATH}: " in unit.errors()
    assert "EmergencyFile_trust.chain: " not in unit.errors()
    assert "no keys that can be used; install one that was built with --trust" in unit.errors()


def test_a_damaged_security_version_is_an_error_and_the_records_count() -> None:
    unit = running()
    unit.world.built_in[built_in.SECURITY_VERSION_FILE] = b"seven"
    assert restore(unit) == IMAGE_NAME
    assert f"{built_in.SECURITY_VERSION_FILE}: must be a number" in unit.errors()


def test_a_refusal_is_not_counted_as_a_failure_of_the_image(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(0, 0))
    unit.put("RECOVERY", RATCHETS, json.dumps({"Format": 1, "SecurityFloor": 1, "TrustVersion": 1}).encode())
    assert restore(unit) == IMAGE_NAME
    result = parse_history(unit.read("RECOVERY", HISTORY)).result(NEWER.removesuffix(".upd"))
    assert (result.imaging_attempts, result.failures, result.notes) == (0, 0, ())
    assert unit.exists("RECOVERY", f"/Image/{NEWER}")


def test_images_that_are_refused_do_not_push_out_those_that_a_unit_may_need(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(2, 1))
    add(unit, THIRD, Release(2, 1))
    for month in range(5, 10):
        unit.add_image(f"WIDGET.LNX.SHINY.2026-{month:02}-01.1.upd")
    assert restore(unit) == THIRD
    assert unit.exists("RECOVERY", f"/Image/{NEWER}")
    assert unit.exists("RECOVERY", f"/Image/{IMAGE_NAME}")


def test_nothing_is_said_about_files_beside_images(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(2, 1))
    unit.put("RECOVERY", BESIDE_IMAGES, FIRST.chain)
    assert restore(unit) == NEWER
    assert "is no image" not in unit.warnings()


def test_a_unit_in_the_field_gets_keys_in_three_steps() -> None:
    """As docs/how-to/signing.md says. The simulated kernel has no keys until the restore that brings it."""
    unit = units.running()
    assert unit.systems() == [IMAGE_NAME]
    add(unit, NEWER, Release(1, 1))
    assert restore(unit) == NEWER
    build_in(unit.world, FIRST, TrustPolicy.WARN)
    original = unit.read("RECOVERY", f"/Image/{IMAGE_NAME}")
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    assert restore(unit) == IMAGE_NAME
    assert "is not signed" in unit.warnings()
    for name, content in signed_files(IMAGE_NAME, original, FIRST, Release(1, 1)).items():
        unit.put("RECOVERY", f"/Image/{name}", content)
    build_in(unit.world, FIRST)
    assert restore(unit) == IMAGE_NAME


def test_a_unit_whose_images_are_signed_later_restores_itself_with_a_kernel_that_enforces() -> None:
    """docs/how-to/signing.md, "Units that are in the field": manifests first, then the kernel."""
    unit = units.running()
    build_in(unit.world, FIRST)
    confirm(unit)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    stem = IMAGE_NAME.removesuffix(".upd")
    assert f"RECOVERY has no image that this unit may restore ({stem} is not signed" in unit.errors()
    image = unit.read("RECOVERY", f"/Image/{IMAGE_NAME}")
    for name, data in signed_files(IMAGE_NAME, image, FIRST, Release()).items():
        if name != IMAGE_NAME:
            unit.put("RECOVERY", f"/Image/{name}", data)
    assert restore(unit) == IMAGE_NAME
    told = unit.errors().count("no image that this unit may restore")
    confirm(unit)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.errors().count("no image that this unit may restore") == told


def test_a_unit_whose_images_are_not_signed_keeps_its_system_and_a_person_can_insist() -> None:
    unit = units.running()
    build_in(unit.world, FIRST)
    unit.machine.operator_present = True
    unit.machine.keys = [*MENU, "0", "yes", "yes", "yes"]
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]
    assert "OVERRIDE" in unit.warnings()
