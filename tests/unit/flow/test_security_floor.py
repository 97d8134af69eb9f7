"""The security floor: when it rises, and what it refuses then."""

from __future__ import annotations

import pytest
from typing_extensions import override

from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.apps.host.simulation.emergency_stick import emergency_image
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.owner import public_key, sign
from gprov.apps.host.simulation.signed_factory import build_in
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.errors import DeviceFault
from gprov.domain.image.manifest import Release
from gprov.domain.trust.policy import TrustPolicy
from gprov.domain.trust.ratchets import RatchetValues
from gprov.ports.signatures import SignatureVerifier
from tests.unit.flow.driver import NEWER, NORMAL, UnitDriver
from tests.unit.flow.trust_units import (
    BESIDE_IMAGES,
    CONFIRMED,
    FIRST,
    INSTALLED,
    SECOND_KEY,
    STOLEN,
    THIRD,
    add,
    chain_of,
    confirm,
    emergency,
    in_tpm,
    restore,
    running,
    stick,
    values,
)


@pytest.fixture(params=[False, True], ids=["no TPM", "TPM"])
def unit(request: pytest.FixtureRequest) -> UnitDriver:
    return running(tpm=request.param)


def test_the_floor_follows_at_the_start_after_the_system_was_up(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(3, 2))
    assert restore(unit) == NEWER
    assert values(unit)["SecurityFloor"] == 0
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert values(unit)["SecurityFloor"] == 0
    confirm(unit, 2)
    unit.put("PRIMARY", CONFIRMED, b"2 1\n")
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert values(unit)["SecurityFloor"] == 2
    assert unit.machine.tpm is None or in_tpm(unit).security_floor == 2
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert "has the security version 1, below the floor of this unit, 2" in unit.errors()


def test_the_floor_follows_at_the_next_restore_at_the_latest(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(3, 2))
    assert restore(unit) == NEWER
    confirm(unit)
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [NEWER]
    assert "below the floor of this unit, 2" in unit.errors()


def test_until_then_a_unit_can_fall_back(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(3, 2))
    assert restore(unit) == NEWER
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    assert restore(unit) == IMAGE_NAME


def test_a_system_that_never_says_that_it_is_up_raises_nothing(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(3, 2), confirms=False)
    assert restore(unit) == NEWER
    assert unit.boot() is StopReason.SWITCHED_ROOT
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    assert restore(unit) == IMAGE_NAME


def test_a_start_without_recovery_is_not_delayed_for_long(unit: UnitDriver) -> None:
    confirm(unit)
    unit.machine.disks[1].detached = True
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() <= 5


@pytest.mark.parametrize("what", ["removed", "another", "forged", "revoked"])
def test_only_a_manifest_that_counts_raises_the_floor(unit: UnitDriver, what: str) -> None:
    add(unit, NEWER, Release(3, 2))
    assert restore(unit) == NEWER
    confirm(unit)
    if what == "removed":
        unit.remove("RECOVERY", INSTALLED)
    elif what == "another":
        manifest = FIRST.manifest(THIRD, emergency_image(), Release(9, 9))
        unit.put("RECOVERY", INSTALLED, manifest)
        unit.put("RECOVERY", f"{INSTALLED}.minisig", sign(FIRST.first, manifest))
    elif what == "forged":
        manifest = unit.read("RECOVERY", INSTALLED)
        unit.put("RECOVERY", INSTALLED, manifest.replace(b'"Floor": 2', b'"Floor": 9').replace(b": 3,", b": 9,"))
    else:
        unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert values(unit)["SecurityFloor"] == 0


def test_an_image_without_a_manifest_leaves_none_behind() -> None:
    unit = running(TrustPolicy.WARN)
    assert unit.exists("RECOVERY", INSTALLED)
    unit.add_image(NEWER)
    assert restore(unit) == NEWER
    assert not unit.exists("RECOVERY", INSTALLED)
    assert not unit.exists("RECOVERY", f"{INSTALLED}.minisig")


def test_the_security_version_of_the_kernel_counts_and_is_stored_nowhere() -> None:
    unit = running(tpm=True)
    build_in(unit.world, FIRST, version=2)
    unit.put("RECOVERY", BESIDE_IMAGES, chain_of(([FIRST.first, SECOND_KEY], [])).chain)
    add(unit, NEWER, Release(2, 0))
    assert restore(unit) == NEWER
    assert "below the floor of this unit, 2" not in unit.errors()
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert "below the floor of this unit, 2" in unit.errors()
    assert in_tpm(unit) == RatchetValues(security_floor=0, trust_version=2)
    assert values(unit) == {"SecurityFloor": 0, "TrustVersion": 2}


class _Broken(SignatureVerifier):
    @override
    def verifies(self, key: bytes, signature: bytes, message: bytes) -> bool:
        raise ValueError("a case that was not thought of")


def test_a_floor_above_all_images_on_recovery_is_reported_while_the_system_is_up(unit: UnitDriver) -> None:
    """The stick with the image was taken away, and RECOVERY has only what is below the floor now."""
    stick(unit, emergency(release=Release(5, 5)))
    assert unit.boot() is StopReason.REBOOT
    unit.machine.disks[-1].detached = True
    confirm(unit)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert values(unit)["SecurityFloor"] == 5
    expected = f"RECOVERY has no image that this unit may restore ({IMAGE_NAME.removesuffix('.upd')} has the security"
    assert expected in unit.errors()
    add(unit, NEWER, Release(5, 5))
    assert restore(unit) == NEWER


class _Fails(SignatureVerifier):
    """With the keys of signers: not with those of roots, who signed the chain."""

    @override
    def verifies(self, key: bytes, signature: bytes, message: bytes) -> bool:
        if key == public_key(FIRST.first).key:
            raise DeviceFault("libcrypto.so.3", "is out of memory")
        return PythonVerifier().verifies(key, signature, message)


@pytest.mark.parametrize("policy", [TrustPolicy.ENFORCE, TrustPolicy.WARN])
def test_where_signatures_cannot_be_checked_the_policy_decides(policy: TrustPolicy) -> None:
    unit = running(policy)
    add(unit, NEWER, Release(2, 1))

    def install(container: UnitContainer) -> None:
        set_value(container.signature_verifier, _Fails())

    unit.world.install = install
    unit.remove_flag()
    unit.boot()
    assert (unit.systems() == [NEWER]) is (policy is TrustPolicy.WARN)
    assert "cannot be checked: libcrypto.so.3: is out of memory" in unit.errors() + unit.warnings()


def test_an_error_in_recording_does_not_keep_the_system_from_starting(unit: UnitDriver) -> None:
    confirm(unit)

    def install(container: UnitContainer) -> None:
        set_value(container.signature_verifier, _Broken())

    unit.world.install = install
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert "the security floor is looked at again before the next restore: unexpected error: ValueError" in unit.log()
