"""Trust chains over the years: keys are stolen and replaced, chains are lost, put back and damaged."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.simulation.emergency_stick import EMERGENCY_IMAGE
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import build_in
from gprov.domain.files import FileType
from gprov.domain.image.manifest import Release
from tests.unit.flow.driver import NEWER, NORMAL, UnitDriver
from tests.unit.flow.trust_units import (
    BESIDE_IMAGES,
    CHAIN,
    CHAIN_COPY,
    FIRST,
    LATER,
    RATCHETS,
    SECOND_KEY,
    STOLEN,
    THIRD,
    add,
    chain_of,
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


def test_provisioning_keeps_the_chain_of_the_kernel(unit: UnitDriver) -> None:
    assert unit.read("RECOVERY", CHAIN) == FIRST.chain
    assert values(unit) == {"SecurityFloor": 0, "TrustVersion": 1}
    assert unit.node("RECOVERY", RATCHETS).mode == 0o600
    assert unit.errors() == ""


def test_a_key_is_stolen_and_a_unit_that_was_offline_for_a_year_gets_the_update(unit: UnitDriver) -> None:
    """The chain comes beside the image that the new key signed."""
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == IMAGE_NAME
    assert "which is no key of the owner" in unit.errors()
    unit.put("RECOVERY", BESIDE_IMAGES, LATER.chain)
    assert restore(unit) == NEWER
    assert unit.read("RECOVERY", CHAIN) == LATER.chain
    assert values(unit)["TrustVersion"] == 3
    add(unit, THIRD, Release(9, 1))
    assert restore(unit) == NEWER
    assert "which was revoked (trust version 3)" in unit.errors()


def test_a_chain_stays_when_it_is_taken_away_from_beside_the_images(unit: UnitDriver) -> None:
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    unit.remove("RECOVERY", BESIDE_IMAGES)
    add(unit, THIRD, Release(2, 1))
    assert restore(unit) == NEWER
    assert "which was revoked (trust version 2)" in unit.errors()


def test_an_image_that_the_owner_keeps_can_still_be_restored(unit: UnitDriver) -> None:
    manifest = unit.read("RECOVERY", f"/Image/{IMAGE_NAME}.manifest")
    owner = Owner()
    owner.state([SECOND_KEY], [owner.first], keep=[manifest])
    unit.put("RECOVERY", BESIDE_IMAGES, owner.chain)
    add(unit, NEWER, Release(2, 1))
    assert restore(unit) == IMAGE_NAME


def test_roots_are_replaced_by_old_and_new_ones_together(unit: UnitDriver) -> None:
    owner = Owner()
    owner.state([owner.first], roots="new root")
    owner.state([owner.first, SECOND_KEY])
    unit.put("RECOVERY", BESIDE_IMAGES, owner.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER


def test_the_chain_on_a_stick_is_adopted_with_its_image(unit: UnitDriver) -> None:
    stick(unit, {**emergency(SECOND_KEY), "trust.chain": STOLEN.chain})
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]
    assert unit.read("RECOVERY", CHAIN) == STOLEN.chain


def test_a_chain_alone_on_a_stick_requests_nothing(unit: UnitDriver) -> None:
    stick(unit, {"trust.chain": STOLEN.chain})
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.read("RECOVERY", CHAIN) == FIRST.chain
    assert "EmergencyFile_trust.chain is not used without an image" in unit.warnings()


def test_without_recovery_a_chain_is_used_and_nothing_is_kept() -> None:
    """The RECOVERY that is found again has the older chain, and its images are good."""
    unit = running(tpm=True)
    recovery = unit.machine.disks[1]
    recovery.detached = True
    stick(unit, {**emergency(SECOND_KEY), "trust.chain": STOLEN.chain})
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]
    assert in_tpm(unit).trust_version == 1


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        (b"", "JSON"),
        (b"[]", "trust.chain"),
        (Owner("stranger").chain, "the trust chain of another owner"),
        (STOLEN.chain.replace(b"Signatures", b"Signature"), "Signatures"),
    ],
)
@pytest.mark.parametrize("place", [BESIDE_IMAGES, CHAIN])
def test_a_chain_that_is_not_the_owners_is_reported_and_not_used(
    unit: UnitDriver, place: str, chain: bytes, reason: str
) -> None:
    unit.put("RECOVERY", place, chain)
    assert restore(unit) == IMAGE_NAME
    assert reason in unit.lines()
    assert unit.read("RECOVERY", CHAIN) == FIRST.chain


@pytest.mark.parametrize("damaged", [CHAIN, CHAIN_COPY])
def test_one_damaged_copy_of_the_chain_leaves_a_unit_that_restores_itself(unit: UnitDriver, damaged: str) -> None:
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    unit.remove("RECOVERY", BESIDE_IMAGES)
    content = bytearray(STOLEN.chain)
    content[len(content) // 2] ^= 1
    unit.put("RECOVERY", damaged, bytes(content))
    assert restore(unit) == NEWER
    assert unit.read("RECOVERY", damaged) == STOLEN.chain
    assert f"{damaged}: " in unit.errors()


def test_a_link_is_no_chain(unit: UnitDriver) -> None:
    unit.put("RECOVERY", BESIDE_IMAGES, Node(type=FileType.SYMLINK, content=b"../other.chain"))
    unit.put("RECOVERY", "/other.chain", STOLEN.chain)
    assert restore(unit) == IMAGE_NAME
    assert "is no file" in unit.errors()


@pytest.mark.parametrize("change", ["deleted", "put back"])
def test_a_recovery_with_an_older_chain_than_the_unit_has_seen_is_not_believed(change: str) -> None:
    """A thief brings an image of the stolen key, and takes the chain away that revokes it."""
    unit = running(tpm=True)
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    unit.remove("RECOVERY", "/trust")
    unit.remove("RECOVERY", BESIDE_IMAGES)
    if change == "put back":
        unit.put("RECOVERY", CHAIN, FIRST.chain)
    add(unit, THIRD, Release(2, 1))
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [NEWER]
    assert not unit.exists("PRIMARY", "/boot.normal")
    assert "the trust chain is of version 1, but this unit has seen version 2" in unit.errors()
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    assert restore(unit) == NEWER


def test_what_is_on_recovery_alone_does_not_protect_from_an_attacker_who_can_write_it() -> None:
    """As docs/explanation/threat-model.md says: without a TPM."""
    unit = running()
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    unit.remove("RECOVERY", "/trust")
    unit.remove("RECOVERY", BESIDE_IMAGES)
    add(unit, THIRD, Release(2, 1))
    assert restore(unit) == THIRD


def test_a_kernel_with_a_longer_chain_than_recovery_counts(unit: UnitDriver) -> None:
    build_in(unit.world, STOLEN)
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert "which was revoked" in unit.errors()
    assert unit.read("RECOVERY", CHAIN) == STOLEN.chain


def test_a_recovery_that_takes_no_chain_does_not_have_its_version_recorded() -> None:
    unit = running(tpm=True)
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    unit.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where=f"write /mnt/RECOVERY{CHAIN}", times=1000))
    assert restore(unit) == NEWER
    assert in_tpm(unit).trust_version == 1


def test_a_cut_while_a_chain_is_adopted_leaves_a_unit_that_believes_one(unit: UnitDriver) -> None:
    """Also if the chain is taken away from beside the images then."""
    unit.put("RECOVERY", BESIDE_IMAGES, chain_of(([FIRST.first, SECOND_KEY], [])).chain)
    unit.remove_flag()
    places = [at for at, name in enumerate(unit.operations()) if "/trust/" in name]
    assert len(places) > 4
    for at in places:
        copy = unit.copy()
        copy.cut(at)
        copy.remove("RECOVERY", BESIDE_IMAGES)
        assert copy.settle()[-1] == "switched root"
